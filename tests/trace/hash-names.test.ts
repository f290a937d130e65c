import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import type { Snapshot } from "../../src/policy/eviction/snapshot.ts";
import { indexPods } from "../../src/policy/limits/reconcile.ts";
import { NameHasher } from "../../src/trace/hash-names.ts";
import { podSampleOf } from "../policy/eviction/snapshots.ts";
import { anySnapshots, containerWith, podWith, snapshotWith } from "./snapshots.ts";

const salt = (seed: number) => new Uint8Array(32).fill(seed);

const NAMES = ["uid-of-pod", "uid-of-mirror", "payroll", "ledger-0", "bookkeeper", "id-of-container"];
const [podUid = "", mirrorUid = "", namespace = "", podName = "", name = "", id = ""] = NAMES;

const snapshot = snapshotWith({
  containers: [containerWith({ id, podUid })],
  podSamples: [podSampleOf(podUid)],
  pods: [
    podWith({
      ...{ uid: mirrorUid, namespace, name: podName },
      annotations: {
        "kubernetes.io/config.source": "file",
        "kubernetes.io/config.mirror": podUid,
        [`swap-limit.wasp.io/${name}`]: "1Gi",
        "wasp.io/swap-limit": "max",
      },
      labels: { "kubevirt.io": "virt-launcher" },
      containers: [{ name, id, memoryRequestBytes: 1, memoryLimitBytes: undefined }],
    }),
  ],
});

describe("hashed names", () => {
  const hashed = new NameHasher(salt(1)).hash(snapshot);
  const [pod] = hashed.pods;
  const [container] = hashed.containers;

  test("contain no name", () => {
    for (const plain of NAMES) expect(JSON.stringify(hashed)).not.toContain(plain);
  });

  test("match a container to its pod, also by the UID in a static pod's cgroup", () => {
    expect(indexPods(hashed.pods).get(container?.podUid ?? "")).toBe(pod);
    expect(pod?.containers[0]?.id).toBe(container?.id);
  });

  test("match the sample of a pod's own cgroup to its containers", () => {
    expect(hashed.podSamples[0]).toEqual(podSampleOf(container?.podUid ?? ""));
  });

  test("match an annotation to its container", () => {
    expect(pod?.annotations).toMatchObject({
      "kubernetes.io/config.source": "file",
      [`swap-limit.wasp.io/${pod?.containers[0]?.name}`]: "1Gi",
      "wasp.io/swap-limit": "max",
    });
  });

  test("leave everything else unchanged", () => {
    const { uid, namespace, name, annotations, containers, ...rest } = pod as NonNullable<typeof pod>;
    expect(snapshot.pods[0]).toMatchObject(rest);
    expect(containers[0]).toMatchObject({ memoryRequestBytes: 1, memoryLimitBytes: undefined });
    expect(snapshot).toMatchObject({ atSeconds: hashed.atSeconds, node: hashed.node });
  });

  test("differ between recordings", () => {
    const other = new NameHasher(salt(2)).hash(snapshot);
    expect(other.containers[0]?.id).not.toBe(container?.id);
    expect(new NameHasher(salt(1)).hash(snapshot)).toEqual(hashed);
  });

  test("are equal for equal names, in any snapshots", () => {
    fc.assert(
      fc.property(anySnapshots, (snapshots) => {
        const hasher = new NameHasher(salt(3));
        const hashedAll = snapshots.map((plain) => hasher.hash(plain));
        const uids = (all: readonly Snapshot[]) =>
          all.flatMap(({ containers, podSamples, pods }) => [
            ...containers.map((container) => container.podUid),
            ...podSamples.map((sample) => sample.podUid),
            ...pods.map((pod) => pod.uid),
          ]);
        const before = uids(snapshots);
        const after = uids(hashedAll);
        for (const [index, uid] of before.entries())
          expect(after.indexOf(after[index] as string)).toBe(before.indexOf(uid));
      }),
    );
  });
});
