# Starts `wasp hook` for a runtime, which fails a container whose hook fails, outlives its timeout or is missing: this guard
# exits 0 whatever becomes of it. wasp-swap.json contains it without comments (`npm run hook-definition`), and the runtime runs
# sh -c GUARD NAME EXECUTABLE hook FLAGS
#
# It is for any /bin/sh: bash, dash and busybox. crun blocks SIGCHLD in its hooks: then `wait` of dash and busybox never
# returns, but a command in the foreground and a command substitution do.

# Also where the shell itself fails, as without a process to spare.
runner=
trap '[ "$runner" ] || report "could not be started"; exit 0' EXIT

executable=$1
case $executable in *[!0-9A-Za-z_./-]*) name='the executable' ;; *) name=$executable ;; esac

report() {
  # The bundle is the working directory, and its path has the container's id: no shell parses the state, which tenants write.
  id=${PWD%/userdata} id=${id##*/}
  case $id in *[!0-9A-Za-z_.-]*) id= ;; esac
  [ -e config.json ] && [ ${#id} -le 128 ] || id=
  # A redirection would create the file if it were missing.
  [ -c /dev/kmsg ] && echo "<12>wasp[$$]: hook: hook-failed${id:+ id=$id} error=\"$name $1\"" >/dev/kmsg
}

# Out of the pod's cgroup: memory, page cache of the executable, time and processes are not for the pod to pay. The root has
# no limits; it refuses in a cgroup namespace, where systemd's own cgroup may accept. cgroup v1 has a hierarchy for each
# controller; `tasks` moves without a lock that takes milliseconds.
leave_pod() {
  for file in cgroup.procs init.scope/cgroup.procs memory/tasks cpu/tasks pids/tasks; do
    [ -w /sys/fs/cgroup/$file ] && echo 0 >/sys/fs/cgroup/$file && [ $file = cgroup.procs ] && break
  done
}

run() {
  "$@" <&3 3<&-
  status=$?
  if [ ! -s "$executable" ]; then report 'is not there, or is empty'
  elif [ $status -gt 128 ]; then report "was killed by signal $((status - 128))"
  elif [ $status -ge 126 ]; then report 'cannot be executed'
  elif [ $status -ne 0 ]; then report "ended with status $status"
  else return
  fi
  # A runtime may take a state that nobody reads as a failure.
  cat <&3
}

{
  leave_pod
  if command -v sleep >/dev/null; then
    # The substitution ends when `sleep` ends, which alone holds its pipe: after its time, or with the hook. So even a hook
    # that cannot be killed is not waited for. The runtime's own pipes are held by this shell alone.
    runner=$(
      sleep 10 3<&- &
      timer=$!
      {
        run "$@"
        kill $timer
      } >/dev/null &
      echo $!
    )
    # Without the kernel's option PROC_CHILDREN, a hook that hangs is left behind.
    read -r hook </proc/$runner/task/$runner/children
    kill -9 $runner $hook
    if [ "$hook" ]; then
      report 'did not end within 10 s'
      cat <&3 >/dev/null
    fi
  else
    runner=$$
    run "$@" >/dev/null
  fi
} 3<&0 2>/dev/null
