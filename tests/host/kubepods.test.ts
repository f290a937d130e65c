import { afterEach, describe, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import {
  findContainerRoots,
  findContainersById,
  findKubepods,
  type Kubepods,
  podsOfContainers,
  scanContainers,
  scanPods,
} from "../../src/host/kubepods.ts";
import type { QosClass } from "../../src/policy/kubernetes/pod-cgroup.ts";
import {
  containerIdOf,
  kubepodsPath,
  type Layout,
  makeCgroup,
  podPath,
  podUidOf,
} from "../node/kubepods-tree.ts";

const layouts: Layout[] = [
  { driver: "systemd", cgroupRoot: [] },
  { driver: "systemd", cgroupRoot: ["nodes"] },
  { driver: "systemd", cgroupRoot: ["nodes", "big"] },
  { driver: "cgroupfs", cgroupRoot: [] },
  { driver: "cgroupfs", cgroupRoot: ["nodes"] },
  { driver: "cgroupfs", cgroupRoot: ["nodes", "big"] },
];
const versions = [1, 2] as const;
const qosClasses: QosClass[] = ["Guaranteed", "Burstable", "BestEffort"];
const names = {
  systemd: (id: string) => [`crio-${id}.scope`, `cri-containerd-${id}.scope`, `libpod-${id}.scope`],
  cgroupfs: (id: string) => [id, `crio-${id}`, `libpod-${id}`],
};
const monitors = {
  systemd: (id: string) => [`crio-conmon-${id}.scope`, `libpod-conmon-${id}.scope`, `conmon-${id}.scope`],
  cgroupfs: (id: string) => [`crio-conmon-${id}`, `libpod-conmon-${id}`, `conmon-${id}`],
};
const [id, uid] = [containerIdOf(1), podUidOf(1)];

let fsroot = "";

afterEach(() => {
  if (fsroot !== "") rmSync(fsroot, { recursive: true });
  fsroot = "";
});

function hierarchy(version: 1 | 2): string {
  fsroot = mkdtempSync(`${tmpdir()}/wasp-kubepods-`);
  const mount = `${fsroot}/sys/fs/cgroup${version === 1 ? "/memory" : ""}`;
  mkdirSync(mount, { recursive: true });
  for (const path of [
    "/system.slice/crio.service",
    "/user.slice/user-0.slice/session-1.scope",
    "/init.scope",
  ])
    makeCgroup(mount, path);
  return mount;
}

function theKubepods(): Kubepods {
  const [kubepods, ...others] = findKubepods(fsroot);
  if (kubepods === undefined || others.length > 0) throw new Error(`${others.length} others`);
  return kubepods;
}

describe.each(versions)("cgroup v%i", (version) => {
  describe.each(layouts)("%j", (layout) => {
    test("the kubepods cgroup is found", () => {
      const mount = hierarchy(version);
      makeCgroup(mount, podPath(layout, "Burstable", uid));
      expect(findKubepods(fsroot)).toEqual([{ version, mount, path: kubepodsPath(layout) }]);
    });

    test.each(qosClasses)("a %s pod's containers are found, and its monitors are not", (qosClass) => {
      const mount = hierarchy(version);
      const pod = podPath(layout, qosClass, uid);
      const containers = names[layout.driver](id);
      for (const name of [...containers, ...monitors[layout.driver](id)]) makeCgroup(mount, `${pod}/${name}`);
      const found = scanContainers(theKubepods());
      expect(found.map(({ cgroup }) => cgroup.own).sort()).toEqual(
        containers.map((name) => [`${mount}${pod}/${name}`]).sort(),
      );
      for (const { cgroup, ...container } of found) {
        expect(container).toEqual({ podUid: uid, qosClass, containerId: id });
        expect(cgroup.version).toBe(version);
        expect(cgroup.ancestors).toEqual(levelsUp(mount, pod));
      }
    });

    test("a pod's own cgroup is found once, by its containers", () => {
      const mount = hierarchy(version);
      const paths = qosClasses.map((qosClass, index) => podPath(layout, qosClass, podUidOf(index)));
      for (const path of paths)
        for (const number of [1, 2])
          makeCgroup(mount, `${path}/${names[layout.driver](containerIdOf(number))[0]}/container`);
      const pods = podsOfContainers(scanContainers(theKubepods()));
      expect(pods.toSorted((a, b) => (a.podUid < b.podUid ? -1 : 1))).toEqual(
        paths.map((path, index) => ({ podUid: podUidOf(index), directory: mount + path })),
      );
    });

    test("only the level that crun creates is the container's own", () => {
      const mount = hierarchy(version);
      const scope = `${podPath(layout, "Burstable", uid)}/${names[layout.driver](id)[0]}`;
      for (const below of ["container/init.scope", "container/container", "init.scope", "kubepods.slice"])
        makeCgroup(mount, `${scope}/${below}`);
      expect(scanContainers(theKubepods()).map(({ cgroup }) => cgroup.own)).toEqual([
        [`${mount}${scope}/container`, mount + scope],
      ]);
    });

    test("pods of a node inside a pod are not the node's", () => {
      const mount = hierarchy(version);
      const scope = `${podPath(layout, "Guaranteed", uid)}/${names[layout.driver](id)[0]}`;
      const inner = { driver: layout.driver, cgroupRoot: [] };
      makeCgroup(mount, `${scope}${podPath(inner, "Burstable", podUidOf(2))}/${names[layout.driver](id)[0]}`);
      expect(theKubepods().path).toBe(kubepodsPath(layout));
      expect(scanContainers(theKubepods())).toHaveLength(1);
    });
  });
});

function levelsUp(mount: string, path: string): string[] {
  const segments = path.split("/");
  return segments.slice(1).map((_, index) => mount + segments.slice(0, segments.length - index).join("/"));
}

const systemd: Layout = { driver: "systemd", cgroupRoot: [] };

test("without cgroups there is no kubepods cgroup", () => {
  fsroot = mkdtempSync(`${tmpdir()}/wasp-kubepods-`);
  expect(findKubepods(fsroot)).toEqual([]);
});

test("without a kubelet there is no kubepods cgroup", () => {
  hierarchy(2);
  expect(findKubepods(fsroot)).toEqual([]);
});

test("two kubelets of one node are distinguished", () => {
  const mount = hierarchy(2);
  const paths = [systemd, { ...systemd, cgroupRoot: ["kubelet"] }].map(kubepodsPath);
  for (const path of paths) makeCgroup(mount, path);
  const found = findKubepods(fsroot).map(({ path }) => path);
  expect(found.sort()).toEqual(paths.sort());
});

test("a static pod's UID is kept as it is", () => {
  const mount = hierarchy(2);
  const podUid = "74c1ca1ffd079a8c2b1d59f08ded8b15";
  makeCgroup(mount, `${podPath(systemd, "Burstable", podUid)}/crio-${id}.scope`);
  expect(scanContainers(theKubepods())).toMatchObject([{ podUid }]);
});

test("250 pods with 500 containers and their monitors", () => {
  const mount = hierarchy(2);
  for (let pod = 0; pod < 250; pod++) {
    const path = podPath(systemd, qosClasses[pod % 3] ?? "Burstable", podUidOf(pod));
    for (const container of [2 * pod, 2 * pod + 1]) {
      makeCgroup(mount, `${path}/crio-${containerIdOf(container)}.scope/container`);
      makeCgroup(mount, `${path}/crio-conmon-${containerIdOf(container)}.scope`);
    }
  }
  const found = scanContainers(theKubepods());
  expect(new Set(found.map(({ containerId }) => containerId)).size).toBe(500);
  expect(new Set(found.map(({ podUid }) => podUid)).size).toBe(250);
  expect(found.every(({ cgroup }) => cgroup.own.length === 2)).toBe(true);
});

test("cgroups that disappear during a scan are skipped", async () => {
  const mount = hierarchy(2);
  const pods = Array.from({ length: 40 }, (_, pod) => podPath(systemd, "Burstable", podUidOf(pod)));
  const stays = podPath(systemd, "Guaranteed", uid);
  makeCgroup(mount, `${stays}/crio-${id}.scope`);
  const directories = pods.map((pod) => `${mount}${pod}`);
  const script = `for round in $(seq 40); do mkdir -p ${directories.map((pod) => `${pod}/crio-${containerIdOf(2)}.scope/container`).join(" ")}; rm -r ${directories.join(" ")}; done`;
  const churn = Bun.spawn(["sh", "-c", script]);
  const kubepods = theKubepods();
  let scans = 0;
  for (; churn.exitCode === null; scans++) {
    expect(scanContainers(kubepods).filter(({ containerId }) => containerId === id)).toHaveLength(1);
    await Bun.sleep(0);
  }
  expect(scans).toBeGreaterThan(0);
  expect(scanContainers(kubepods)).toHaveLength(1);
});

const loose = (number: number) =>
  `kubepods-burstable-pod${podUidOf(number).replaceAll("-", "_")}.slice:cri-containerd:${containerIdOf(number)}`;

describe.each(versions)("outside of kubepods, on cgroup v%d", (version) => {
  test("containers are found in any cgroup, with their pods, and without their pods' cgroups", () => {
    const mount = hierarchy(version);
    const places = ["/system.slice/containerd.service", "/system.slice", ""];
    for (const [index, place] of places.entries()) makeCgroup(mount, `${place}/${loose(index)}`);
    makeCgroup(mount, `/system.slice/${loose(9).replace("cri-containerd", "crio-conmon")}`);
    makeCgroup(mount, `${podPath(systemd, "Burstable", uid)}/crio-${id}.scope`);
    const roots = findContainerRoots(fsroot);
    expect(roots.map(({ level, path }) => [level, path]).sort()).toEqual([
      ["kubepods", "/kubepods.slice"],
      ...places.map((place) => ["loose", place]).sort(),
    ]);
    expect(theKubepods().path).toBe("/kubepods.slice");
    const found = roots.flatMap(scanContainers);
    expect(found.map(({ containerId }) => containerId).sort()).toEqual([0, 1, 1, 2].map(containerIdOf));
    const first = found.find(({ containerId }) => containerId === containerIdOf(0));
    expect(first).toMatchObject({ podUid: podUidOf(0), qosClass: "Burstable" });
    expect(first?.cgroup.own).toEqual([`${mount}${places[0]}/${loose(0)}`]);
    expect(first?.cgroup.ancestors).toEqual([
      `${mount}/system.slice/containerd.service`,
      `${mount}/system.slice`,
    ]);
    expect(podsOfContainers(found)).toEqual([
      { podUid: uid, directory: mount + podPath(systemd, "Burstable", uid) },
    ]);
  });

  test("a container is found by its id alone, at any depth, unless it is below a known one", () => {
    const mount = hierarchy(version);
    const deep = `/a/b/c/d/e/f/g/h/runtime-${containerIdOf(1)}.scope`;
    const known = `${podPath(systemd, "Burstable", uid)}/crio-${containerIdOf(2)}.scope`;
    for (const path of [deep, `${known}/crio-${containerIdOf(3)}.scope`, `/conmon-${containerIdOf(4)}.scope`])
      makeCgroup(mount, path);
    const ids = new Set([1, 3, 4, 5].map(containerIdOf));
    const found = findContainersById(fsroot, ids, new Set([mount + known]));
    expect([...found].map(([key, { own }]) => [key, own])).toEqual([[containerIdOf(1), [mount + deep]]]);
    expect(found.get(containerIdOf(1))?.ancestors).toEqual(levelsUp(mount, "/a/b/c/d/e/f/g/h"));
  });

  test("a search ends in bounded time among any number of cgroups, the upper ones first", () => {
    const mount = hierarchy(version);
    for (let index = 0; index < 5000; index++) makeCgroup(mount, `/user.slice/user-1.slice/x/y/${index}`);
    makeCgroup(mount, `/user.slice/user-1.slice/x/y/1/z/${containerIdOf(1)}`);
    makeCgroup(mount, `/opt/kubelet/${containerIdOf(2)}`);
    const found = findContainersById(fsroot, new Set([1, 2].map(containerIdOf)), new Set());
    expect([...found.keys()]).toEqual([containerIdOf(2)]);
  });

  test("pods are found without containers", () => {
    const mount = hierarchy(version);
    const paths = qosClasses.map((qosClass, index) => podPath(systemd, qosClass, podUidOf(index)));
    for (const path of paths) makeCgroup(mount, path);
    const found = scanPods(theKubepods()).toSorted((a, b) => (a.podUid < b.podUid ? -1 : 1));
    expect(found.map(({ podUid, qosClass, cgroup }) => [podUid, qosClass, cgroup.own])).toEqual(
      qosClasses.map((qosClass, index) => [podUidOf(index), qosClass, [`${mount}${paths[index]}`]]),
    );
  });
});
