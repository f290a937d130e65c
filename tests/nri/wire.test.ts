import { afterAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { Plugin } from "../../src/nri/api_pb.ts";
import { FakeRuntime, type RuntimeSide } from "./fake-runtime.ts";
import { decode, decodeRaw, encode } from "./protoc.ts";
import { RecordingPlugin } from "./recording-plugin.ts";

const GOLDEN = `${import.meta.dir}/../golden/nri-wire.txt`;

// The text of each request, and the name of its message where it differs.
const REQUESTS: readonly (readonly [method: string, text: string, message?: string])[] = [
  [
    "Configure",
    'config: "classes: []\\n" runtime_name: "containerd" runtime_version: "v2.1.4" registration_timeout: 5000 request_timeout: 2500',
  ],
  ["Synchronize", 'pods { id: "pod-1" name: "web" namespace: "shop" } more: true'],
  [
    "Synchronize",
    'pods { id: "pod-2" } containers { id: "c-1" pod_sandbox_id: "pod-1" state: CONTAINER_RUNNING } containers { id: "c-2" state: CONTAINER_STOPPED }',
  ],
  [
    "CreateContainer",
    `pod { id: "pod-1" name: "web" uid: "1-2-3" namespace: "shop"
       labels { key: "app" value: "web" } annotations { key: "class.memory-qos.nri.io" value: "bronze" }
       linux { cgroup_parent: "/kubepods.slice/pod1.slice" } }
     container { id: "c-3" pod_sandbox_id: "pod-1" name: "nginx" state: CONTAINER_CREATED
       labels { key: "io.kubernetes.container.name" value: "nginx" } annotations { key: "a" value: "\\303\\244" }
       linux { resources { memory { limit { value: 1073741824 } } unified { key: "memory.oom.group" value: "1" } }
         oom_score_adj { value: -997 } cgroups_path: "kubepods-pod1.slice:cri:c-3" } }`,
  ],
  [
    "UpdateContainer",
    'pod { id: "pod-1" } container { id: "c-3" linux { resources { memory { limit { value: 1 } } } oom_score_adj {} } } linux_resources { memory { limit { value: 536870912 } } }',
  ],
  [
    "UpdateContainer",
    'pod { id: "pod-1" } container { id: "c-3" } linux_resources { memory { limit { value: -1 } } }',
  ],
  ["UpdateContainer", 'pod { id: "pod-1" } container { id: "unchanged" state: 77 }'],
  ["PostStartContainer", 'pod { id: "pod-1" } container { id: "c-3" state: CONTAINER_RUNNING }'],
  ["StopContainer", 'pod { id: "pod-1" } container { id: "c-3" state: CONTAINER_RUNNING }'],
  ["RemoveContainer", 'pod { id: "pod-1" } container { id: "c-3" state: CONTAINER_STOPPED }'],
  ["StateChange", 'event: REMOVE_CONTAINER pod { id: "pod-1" } container { id: "c-2" }', "StateChangeEvent"],
  [
    "StateChange",
    'event: POST_START_CONTAINER pod { id: "pod-1" } container { id: "c-2" state: CONTAINER_RUNNING }',
    "StateChangeEvent",
  ],
  ["StateChange", 'event: 2 pod { id: "pod-1" }', "StateChangeEvent"],
  ["Shutdown", "", "Empty"],
];

const folder = mkdtempSync(`${tmpdir()}/wasp-nri-`);
afterAll(() => rmSync(folder, { recursive: true }));

// The field numbers are NRI's: the golden file can be checked with containerd/nri, pkg/api/api.proto.
test("what goes over the wire is golden", async () => {
  using runtime = await FakeRuntime.listen(`${folder}/wire.sock`, {
    updates: ({ update }) => ({ failed: update.slice(1) }),
  });
  await using plugin = new RecordingPlugin({ socket: runtime.path });
  const side = await runtime.connection();
  await side.registered;
  let screen = `== RegisterPlugin is asked\n${side.frames.map(({ stream, payload }) => `${stream}: ${payload.toString("hex")}`).join("\n")}\n`;
  screen += await decodeRaw(messageIn(side.frames[0]));
  for (const [method, text, message = `${method}Request`] of REQUESTS) {
    const request = await encode("nri", message, text);
    const { status, payload } = await side.ask(Plugin.typeName, method, request);
    expect(status).toBeUndefined();
    screen += `\n== ${method} is asked\n${await decodeRaw(request)}`;
    screen += plugin
      .takeHeard()
      .map((heard) => `-- heard\n${heard}\n`)
      .join("");
    screen += `-- is answered\n${await decodeRaw(payload)}`;
  }
  const seen = side.frames.length;
  // The state of a runtime that shut down is void.
  await side.begin();
  const failed = await plugin.updateContainers([
    { containerId: "c-1", unified: { "memory.high": "max" } },
    { containerId: "c-2", unified: { "memory.swap.max": "0", "memory.high": "4096" } },
  ]);
  expect(failed).toEqual(["c-2"]);
  const asked = side.frames.slice(seen).filter(({ stream }) => stream === 2);
  screen += `\n== UpdateContainers is asked\n${await decodeRaw(messageIn(asked[0]))}`;
  expect(screen).toBe(await Bun.file(GOLDEN).text());
});

test("unknown fields of a runtime are ignored", async () => {
  using runtime = await FakeRuntime.listen(`${folder}/besides.sock`);
  await using plugin = new RecordingPlugin({ socket: runtime.path });
  const side = await runtime.connection();
  await side.begin();
  const known = await encode(
    "nri",
    "CreateContainerRequest",
    'pod { id: "p" } container { id: "c" linux { resources { memory { limit { value: 9 } } } } }',
  );
  const unknown = await encode(
    "unknown",
    "CreateContainerRequest",
    `pod { runtime_handler: "kata" pid: 4711 ips: "10.0.0.1" }
     container { args: ["sh", "-c"] env: "A=1" mounts { destination: "/x" options: "ro" } pid: 1 created_at: 99 exotic: 7
       linux { resources { memory { swap { value: 7 } } cpu { shares { value: 2 } } } sysctl { key: "k" value: "v" } } }
     anything { number: 0.5 }`,
  );
  plugin.takeHeard();
  for (const request of [known, Buffer.concat([known, unknown]), Buffer.concat([unknown, known])]) {
    const { payload } = await side.ask(Plugin.typeName, "CreateContainer", request);
    expect(await decode("nri", "CreateContainerResponse", payload)).toContain('value: "9"');
  }
  const [first, ...others] = plugin.takeHeard();
  expect(others).toEqual([String(first), String(first)]);
});

// Without its header.
function messageIn(frame: RuntimeSide["frames"][number] | undefined): Uint8Array {
  return frame?.payload.subarray(10) ?? new Uint8Array();
}
