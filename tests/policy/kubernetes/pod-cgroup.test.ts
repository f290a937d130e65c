import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import {
  parseLooseContainer,
  parsePodCgroup,
  podUidOfCgroup,
} from "../../../src/policy/kubernetes/pod-cgroup.ts";

const uid = "4f7bd51f-0db5-4bdd-8da8-b7fc08a1ef16";
const escaped = uid.replaceAll("-", "_");

describe("a container in a pod", () => {
  test.each([
    [
      `kubepods-burstable-pod${escaped}.slice:crio:abc`,
      "systemd",
      "Burstable",
      uid,
      `kubepods-burstable-pod${escaped}.slice/crio-abc.scope`,
    ],
    [
      `kubepods-besteffort-pod${escaped}.slice:cri-containerd:abc`,
      "systemd",
      "BestEffort",
      uid,
      `kubepods-besteffort-pod${escaped}.slice/cri-containerd-abc.scope`,
    ],
    [
      `kubepods-pod${escaped}.slice:crio:abc`,
      "systemd",
      "Guaranteed",
      uid,
      `kubepods-pod${escaped}.slice/crio-abc.scope`,
    ],
    // a --cgroup-root, as a systemd slice
    [
      `nodes-kubepods-burstable-pod${escaped}.slice:crio:abc`,
      "systemd",
      "Burstable",
      uid,
      `nodes-kubepods-burstable-pod${escaped}.slice/crio-abc.scope`,
    ],
    // a static pod's UID
    [
      "kubepods-burstable-pod74c1ca1ffd079a8c2b1d59f08ded8b15.slice:crio:abc",
      "systemd",
      "Burstable",
      "74c1ca1ffd079a8c2b1d59f08ded8b15",
      "kubepods-burstable-pod74c1ca1ffd079a8c2b1d59f08ded8b15.slice/crio-abc.scope",
    ],
    [`/kubepods/burstable/pod${uid}/abc`, "cgroupfs", "Burstable", uid, `pod${uid}/abc`],
    [`/kubepods/besteffort/pod${uid}/abc`, "cgroupfs", "BestEffort", uid, `pod${uid}/abc`],
    [`/kubepods/pod${uid}/abc`, "cgroupfs", "Guaranteed", uid, `pod${uid}/abc`],
    [`/nodes/kubepods/burstable/pod${uid}/crio-abc`, "cgroupfs", "Burstable", uid, `pod${uid}/crio-abc`],
  ])("%s", (cgroupsPath, driver, qosClass, podUid, containerSegment) => {
    expect(parsePodCgroup(cgroupsPath)).toEqual({ driver, qosClass, podUid, containerSegment } as never);
  });
});

describe("any other path", () => {
  test.each([
    "",
    "/",
    "/machine.slice/libpod-abc.scope",
    "machine.slice:libpod:abc",
    "user.slice:podman:kubepods-burstable",
    // wasp-agent took every path with "burst" in it
    "burstable.slice:crio:abc",
    "kubepods-burstable.slice:crio:abc",
    `kubepods-burstable-pod${escaped}.slice`,
    `kubepods-burstable-pod${escaped}.slice:crio`,
    `kubepods-burstable-pod${escaped}.slice:crio:abc:def`,
    `kubepods-burstable-pod${escaped}.slice:crio:../../system.slice`,
    `kubepods-burstable-pod${escaped}.slice:crio:a/b`,
    `../kubepods-burstable-pod${escaped}.slice:crio:abc`,
    `/kubepods/burstable/pod${uid}/..`,
    `/kubepods/burstable/../burstable/pod${uid}/abc`,
    `/kubepods/burstable/pod${uid}`,
    `kubepods/burstable/pod${uid}/abc`,
    `notkubepods-burstable-pod${escaped}.slice:crio:abc`,
  ])("%s", (cgroupsPath) => {
    expect(parsePodCgroup(cgroupsPath)).toBeUndefined();
  });

  test("never gives a segment that leaves its parent", () => {
    const piece = fc.constantFrom(
      "kubepods",
      "/",
      "-",
      ":",
      "..",
      ".",
      "pod",
      "burstable",
      "slice",
      "a",
      "\0",
      "\n",
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 14 }), (pieces) => {
        const segments = parsePodCgroup(pieces.join(""))?.containerSegment.split("/") ?? [];
        expect(segments).not.toContain("..");
        expect(segments).not.toContain("");
      }),
      { numRuns: 20_000 },
    );
  });
});

describe("the name of a cgroup outside of kubepods", () => {
  const slice = `kubepods-burstable-pod${escaped}.slice`;
  test.each<[string, string, object | undefined]>([
    ["of containerd's container", `${slice}:cri-containerd:0abc`, { containerId: "0abc" }],
    ["of a container below a --cgroup-root", `nodes-${slice}:cri-containerd:0abc`, { containerId: "0abc" }],
    [
      "of a static pod's",
      "kubepods-pod0a.slice:x:1",
      { pod: { podUid: "0a", qosClass: "Guaranteed", driver: "systemd" } },
    ],
    ["without a runtime", `${slice}::0abc`, { containerId: "0abc" }],
    ["of a monitor", `${slice}:crio-conmon:0abc`, undefined],
    ["of a pod", slice, undefined],
    ["of a unit", "cri-containerd-0abc.scope", undefined],
    ["without an id", `${slice}:cri-containerd:`, undefined],
    ["with a name for an id", `${slice}:cri-containerd:web`, undefined],
    ["with more", `${slice}:cri-containerd:0abc:1`, undefined],
    ["of no pod", "system.slice:cri-containerd:0abc", undefined],
  ])("%s", (_, name, expected) => {
    const found = parseLooseContainer(name);
    if (expected === undefined) expect(found).toBeUndefined();
    else expect(found).toMatchObject({ level: "container", ...expected });
  });

  test.each([
    [`/kubepods.slice/kubepods-burstable.slice/${slice}`, uid],
    [`/mnt/kubepods/burstable/pod${uid}`, uid],
    [`/kubepods.slice/kubepods-burstable.slice/${slice}/crio-0abc.scope`, undefined],
    ["/system.slice", undefined],
    ["/", undefined],
  ])("%s is of the pod %p", (path, podUid) => {
    expect(podUidOfCgroup(path)).toBe(podUid as string);
  });
});
