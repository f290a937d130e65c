import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import type { PodList } from "../../src/cluster/pod-list.ts";
import { PodListReader } from "../../src/cluster/pod-list-reader.ts";
import type { Pod, PodContainer } from "../../src/policy/kubernetes/pod.ts";
import { recordedPods } from "../node/fake-kubelet.ts";

const MI = 2 ** 20;
const recorded = JSON.parse(recordedPods("kubelet-pods.json"));

/** Reads a list in one piece from its text, or from a value that is first converted to JSON. */
function decodePodList(list: unknown): PodList {
  const reader = new PodListReader(new Map());
  reader.push(new TextEncoder().encode(typeof list === "string" ? list : JSON.stringify(list)));
  return reader.end();
}

describe("the recorded list", () => {
  const api = { "kubernetes.io/config.source": "api" };
  const file = { "kubernetes.io/config.source": "file" };
  const mirror = (uid: string) => ({ ...file, "kubernetes.io/config.mirror": uid });

  // namespace, name, QoS class, priority, memory request and limit in MiB, UID, container id
  const fromTheApi = `
    test        guaranteed              Guaranteed 0          128 128 6d576eb2-7e1d-4e02-91fb-6372f2e33efd 6e48bddbb39e5caf4d41d9e7fec874aecfd9930e80424c73c2277740c7c53e53
    test        web-788ff8f494-fxzfm    Burstable  0          16  64  59cc752e-e302-4443-b889-0c04215e7d16 af7689e34187975381e807e70cd9a9ba758d72abe50866591a2f3c18a801eee7
    test        besteffort              BestEffort 0          0   -   b517d0e9-1321-4dbe-91a6-91d1f56b5af5 1bb3e81eeded3287e502d0788bdb21a22dab11bc2ee6542e508b69b489dbb4ef
    test        hog-swapping            Burstable  0          64  128 e0ae7e11-460e-4aa1-9cb7-026fed4ed085 39beb8488ef2c0f0d936e1ad8af4c5b40583853812967d95beab96b9efb05e7f
    test        burstable               Burstable  0          64  512 bf79f6f1-0e78-4294-b042-7d52b4fb161e cb4cabfbee3b4a6731426a3bfd209a94fac1af6dd1dc973ceede81cd3be6d55b`;
  // It is killed repeatedly, and was restarted before the second list was recorded.
  const hog = `
    test        hog-noswap              Burstable  0          64  128 899ed263-fd85-4fd3-a805-67a7b0a32aef eaad01bfe10444eb94d501fa8bbc6cd605843bba38b35d9690c6fffdb6dcda6a`;
  const hogLater = `
    test        hog-noswap              Burstable  0          64  128 899ed263-fd85-4fd3-a805-67a7b0a32aef a022dd569cbd662944216937ccb613c5160ed70352e4c2e0b479576aba4b87ba`;
  const plain = `
    kube-system static-plain-k8snode    Burstable  -          8   64  74c1ca1ffd079a8c2b1d59f08ded8b15     6d22ec4c85f0e8ceeaf5f848570cf46159582dbbd197f5a1b189de1728d02aa8`;
  const plainMirror = `
    kube-system static-plain-k8snode    Burstable  0          8   64  fffaac59-1cbf-4d19-bbc2-72557f16234e 6d22ec4c85f0e8ceeaf5f848570cf46159582dbbd197f5a1b189de1728d02aa8`;
  const critical = `
    kube-system static-critical-k8snode Burstable  2000001000 8   64  e32c62e230e6a9bf1eafd3210e16f56c     6a47d4c5933b5ceeecb6376c207d5b5a704da4ef74721827ee867ee12d3672b0`;
  const criticalMirror = `
    kube-system static-critical-k8snode Burstable  2000001000 8   64  70053fb8-a3e4-4f27-a061-eb4b22ced67c 6a47d4c5933b5ceeecb6376c207d5b5a704da4ef74721827ee867ee12d3672b0`;

  test("of the kubelet has static pods themselves, and the source of each pod", () => {
    const { pods, problems } = decodePodList(recordedPods("kubelet-pods.json"));
    expect(problems).toEqual([]);
    expect(byName(pods)).toEqual(
      byName([...podsOf(fromTheApi + hog, api), ...podsOf(plain + critical, file)]),
    );
  });

  test("of the API server has their mirrors, with other UIDs", () => {
    const { pods, problems } = decodePodList(recordedPods("pods-by-node.json"));
    expect(problems).toEqual([]);
    const mirrors = [
      ...podsOf(plainMirror, mirror("74c1ca1ffd079a8c2b1d59f08ded8b15")),
      ...podsOf(criticalMirror, mirror("e32c62e230e6a9bf1eafd3210e16f56c")),
    ].map((pod) => ({ ...pod, ownerKind: "Node" }));
    expect(byName(pods)).toEqual(byName([...podsOf(fromTheApi + hogLater, {}), ...mirrors]));
  });

  function podsOf(table: string, annotations: Pod["annotations"]): Pod[] {
    return table
      .trim()
      .split("\n")
      .map((line) => {
        const [namespace = "", name = "", qosClass, priority, request, limit, uid = "", id] = line
          .trim()
          .split(/ +/);
        const memoryLimitBytes = limit === "-" ? undefined : Number(limit) * MI;
        const container = { name: "c", id, memoryRequestBytes: Number(request) * MI, memoryLimitBytes };
        // Both times it had just been killed.
        const isRunning = name === "hog-noswap" ? undefined : true;
        return {
          ...{ uid, namespace, name, annotations, labels: {}, containers: [{ ...container, isRunning }] },
          qosClass: qosClass as Pod["qosClass"],
          priority: priority === "-" ? undefined : Number(priority),
          phase: "Running",
          isTerminating: false,
          ownerKind: name.startsWith("web-") ? "ReplicaSet" : undefined,
        };
      });
  }

  function byName(pods: readonly Pod[]): Pod[] {
    return pods.toSorted((a, b) => a.name.localeCompare(b.name));
  }
});

/** JSON of a pod with these parts and otherwise only its required fields. */
function podJson(parts: { spec?: object; status?: object; metadata?: object }) {
  return {
    metadata: { uid: "uid-1", namespace: "shop", name: "db-0", ...parts.metadata },
    spec: { containers: [], ...parts.spec },
    ...(parts.status === undefined ? {} : { status: parts.status }),
  };
}

function listOf(...items: unknown[]) {
  return { kind: "PodList", apiVersion: "v1", metadata: {}, items };
}

function onlyPod(parts: Parameters<typeof podJson>[0]): Pod {
  const { pods, problems } = decodePodList(listOf(podJson(parts)));
  expect(problems).toEqual([]);
  return pods[0] as Pod;
}

const memory = (requests?: string, limits?: string) => ({
  resources: {
    requests: requests === undefined ? undefined : { memory: requests },
    limits: limits === undefined ? undefined : { memory: limits },
  },
});

describe("containers", () => {
  type Parts = Parameters<typeof podJson>[0];

  const c = (changes: Partial<PodContainer>): PodContainer => ({
    name: "c",
    id: undefined,
    memoryRequestBytes: 0,
    memoryLimitBytes: undefined,
    ...changes,
  });
  const status = (changes: object) => ({ containerStatuses: [{ name: "c", ...changes }] });
  const asked = { containers: [{ name: "c", ...memory("64Mi", "128Mi") }] };
  const known = { memoryRequestBytes: 64 * MI, memoryLimitBytes: 128 * MI };

  test.each<[string, Parts, PodContainer[]]>([
    ["without status", { spec: asked }, [c(known)]],
    ["with an empty status", { spec: asked, status: {} }, [c(known)]],
    ["that are waiting", { spec: asked, status: status({ state: { waiting: {} } }) }, [c(known)]],
    ["with an empty id", { spec: asked, status: status({ containerID: "" }) }, [c(known)]],
    [
      "that ended",
      { spec: asked, status: status({ containerID: "cri-o://abc", state: { terminated: { exitCode: 1 } } }) },
      [c({ ...known, id: "abc" })],
    ],
    [
      "of containerd",
      { spec: asked, status: status({ containerID: "containerd://abc" }) },
      [c({ ...known, id: "abc" })],
    ],
    [
      "without a status among others",
      { spec: asked, status: { containerStatuses: [{ name: "d", containerID: "cri-o://abc" }] } },
      [c(known)],
    ],
    [
      "of every kind, in order, each with its own status",
      {
        spec: {
          containers: [
            { name: "a", ...memory("1Mi") },
            { name: "b", ...memory("2Mi") },
          ],
          initContainers: [
            { name: "init", ...memory("3Mi") },
            { name: "sidecar", restartPolicy: "Always", ...memory("4Mi", "5Mi") },
          ],
          ephemeralContainers: [{ name: "debug", targetContainerName: "a" }],
        },
        status: {
          containerStatuses: [
            { name: "b", containerID: "cri-o://id-b" },
            { name: "a", containerID: "cri-o://id-a" },
          ],
          initContainerStatuses: [
            { name: "init", containerID: "cri-o://id-init" },
            { name: "sidecar", containerID: "cri-o://id-sidecar" },
          ],
          ephemeralContainerStatuses: [{ name: "debug", containerID: "cri-o://id-debug" }],
        },
      },
      [
        c({ name: "a", id: "id-a", memoryRequestBytes: MI }),
        c({ name: "b", id: "id-b", memoryRequestBytes: 2 * MI }),
        c({ name: "init", id: "id-init", memoryRequestBytes: 3 * MI }),
        c({ name: "sidecar", id: "id-sidecar", memoryRequestBytes: 4 * MI, memoryLimitBytes: 5 * MI }),
        c({ name: "debug", id: "id-debug" }),
      ],
    ],
    [
      "resized, but not yet allocated",
      {
        spec: asked,
        status: status({
          allocatedResources: { memory: "32Mi" },
          resources: { requests: { memory: "16Mi" }, limits: { memory: "96Mi" } },
        }),
      },
      [c({ memoryRequestBytes: 32 * MI, memoryLimitBytes: 96 * MI })],
    ],
    [
      "of which only the CPU was allocated",
      {
        spec: asked,
        status: status({ allocatedResources: { cpu: "1" }, resources: { limits: { cpu: "1" } } }),
      },
      [c({})],
    ],
    [
      "with a resize that is deferred, where allocatedResources is off",
      {
        spec: asked,
        status: status({ resources: { requests: { memory: "16Mi" }, limits: { memory: "96Mi" } } }),
      },
      [c({ memoryRequestBytes: 16 * MI, memoryLimitBytes: 96 * MI })],
    ],
    [
      "with a request and a limit that a deferred resize adds",
      { spec: asked, status: status({ resources: {} }) },
      [c({})],
    ],
    [
      "with a limit that a deferred resize adds",
      { spec: asked, status: status({ resources: { requests: { memory: "64Mi" } } }) },
      [c({ memoryRequestBytes: 64 * MI })],
    ],
    [
      "of a kubelet that reports no resources in force",
      { spec: asked, status: status({ resources: null }) },
      [c(known)],
    ],
    [
      "with an allocation alone",
      { spec: asked, status: status({ allocatedResources: { memory: "32Mi" } }) },
      [c({ ...known, memoryRequestBytes: 32 * MI })],
    ],
    [
      "with a limit alone, which is the request too",
      { spec: { containers: [{ name: "c", ...memory(undefined, "128Mi") }] } },
      [c({ memoryRequestBytes: 128 * MI, memoryLimitBytes: 128 * MI })],
    ],
    [
      "with a limit and a request of zero",
      { spec: { containers: [{ name: "c", ...memory("0", "128Mi") }] } },
      [c({ memoryLimitBytes: 128 * MI })],
    ],
    [
      "with a request in thousandths of a byte",
      { spec: { containers: [{ name: "c", ...memory("1500m") }] } },
      [c({ memoryRequestBytes: 2 })],
    ],
    [
      "with null for each optional field",
      {
        spec: {
          priority: null,
          containers: [{ name: "c", resources: { requests: null, limits: { memory: null } } }],
          initContainers: null,
          ephemeralContainers: null,
        },
        status: {
          qosClass: null,
          containerStatuses: [{ name: "c", containerID: null, allocatedResources: null, resources: null }],
          initContainerStatuses: null,
        },
      },
      [c({})],
    ],
  ])("%s", (_, parts, containers) => {
    expect(onlyPod(parts).containers).toEqual(containers);
  });
});

test("a pod keeps only the fields that decisions need", () => {
  const pod = onlyPod({
    metadata: {
      annotations: {
        "kubernetes.io/config.source": "file",
        "kubernetes.io/config.mirror": "abc",
        "kubernetes.io/config.hash": "abc",
        "kubernetes.io/config.seen": 5,
        "kubectl.kubernetes.io/last-applied-configuration": "{}",
        "wasp.io/swap-limit": "1Gi",
        "swap-limit.wasp.io/db": "max",
        "class.memory-qos.nri.io": "bronze",
        "memory.high.memory-qos.nri.io/db": "1Gi",
        "memory-qos.nri.io": "x",
        "other-wasp.io/swap-limit": "0",
        "wasp.io/evict": "false",
        "descheduler.alpha.kubernetes.io/eviction-in-progress": "kubevirt",
        "descheduler.alpha.kubernetes.io/prefer-no-eviction": "true",
        "descheduler.alpha.kubernetes.io/evict": "true",
      },
      labels: { "kubevirt.io": "virt-launcher", "kubevirt.io/domain": "vm", app: "db" },
      deletionTimestamp: "2026-01-05T10:00:00Z",
      ownerReferences: [
        { kind: "Node", name: "k8snode" },
        { kind: "StatefulSet", name: "db", controller: true },
      ],
      managedFields: [{}],
    },
    spec: { nodeName: "k8snode", priority: -5, containers: [{ name: "db", image: "db", env: [] }] },
    status: { phase: "Running", qosClass: "BestEffort" },
  });
  expect(pod).toEqual({
    uid: "uid-1",
    namespace: "shop",
    name: "db-0",
    annotations: {
      "kubernetes.io/config.source": "file",
      "kubernetes.io/config.mirror": "abc",
      "wasp.io/swap-limit": "1Gi",
      "swap-limit.wasp.io/db": "max",
      "class.memory-qos.nri.io": "bronze",
      "memory.high.memory-qos.nri.io/db": "1Gi",
      "wasp.io/evict": "false",
      "descheduler.alpha.kubernetes.io/eviction-in-progress": "kubevirt",
      "descheduler.alpha.kubernetes.io/prefer-no-eviction": "true",
    },
    labels: { "kubevirt.io": "virt-launcher" },
    qosClass: "BestEffort",
    priority: -5,
    phase: "Running",
    isTerminating: true,
    ownerKind: "StatefulSet",
    containers: [{ name: "db", id: undefined, memoryRequestBytes: 0, memoryLimitBytes: undefined }],
  });
});

test.each([[null], [[]], [[{ kind: "Node", controller: null }]], [[{ kind: "Node", controller: false }]]])(
  "a pod with the owners %j has no controller",
  (ownerReferences) => {
    const pod = onlyPod({ metadata: { ownerReferences, deletionTimestamp: null }, status: { phase: null } });
    expect(pod).toMatchObject({ ownerKind: undefined, isTerminating: false, phase: undefined });
  },
);

describe("a malformed pod", () => {
  const good = podJson({ metadata: { name: "good" } });

  test.each<[unknown, string]>([
    [null, "pod 1 of the list: null is not Object"],
    [[], "pod 1 of the list: metadata: missing"],
    [podJson({ metadata: { name: "" } }), 'pod 1 of the list: metadata.name: "" is not a name'],
    [podJson({ metadata: { uid: undefined } }), "pod shop/db-0: metadata.uid: missing"],
    [podJson({ metadata: { uid: 5 } }), "pod shop/db-0: metadata.uid: 5 is not string"],
  ])("without identity, %j, is reported, and the others are kept", (item, problem) => {
    const { pods, problems } = decodePodList(listOf(good, item, good));
    expect(pods.map((pod) => pod.name)).toEqual(["good", "good"]);
    expect(problems).toEqual([problem]);
  });

  const one = { containers: [{ name: "c" }] };
  const ofOne = (status: object) => ({
    spec: one,
    status: { containerStatuses: [{ name: "c", ...status }] },
  });
  const held = { containers: [{ name: "c", isUnreadable: true }] };

  test.each<[string, Parameters<typeof podJson>[0], object, string[]]>([
    ["no spec", { spec: { containers: null } }, { containers: [] }, ["spec.containers: null is not Array"]],
    ["a priority", { spec: { ...one, priority: "high" } }, held, ['spec.priority: "high" is not number']],
    ["a fraction", { spec: { ...one, priority: 1.5 } }, held, ["spec.priority: 1.5 is not an integer"]],
    [
      "an annotation that a limit depends on",
      { metadata: { annotations: { "wasp.io/swap-limit": 1 } }, spec: one },
      { ...held, annotations: {} },
      ["metadata.annotations.wasp.io/swap-limit: 1 is not string"],
    ],
    [
      "annotations",
      { metadata: { annotations: "none" }, spec: one },
      held,
      ['metadata.annotations: "none" is not Object'],
    ],
    [
      "a time of deletion",
      { metadata: { deletionTimestamp: 5 } },
      { isTerminating: true },
      ["metadata.deletionTimestamp: 5 is not string"],
    ],
    [
      "owners",
      { metadata: { ownerReferences: [{ kind: 5 }] } },
      { ownerKind: undefined },
      ["metadata.ownerReferences.0.kind: 5 is not string"],
    ],
    [
      "a QoS class",
      { status: { qosClass: "Best" } },
      { qosClass: undefined },
      ['status.qosClass: "Best" is not ("Guaranteed" | "Burstable" | "BestEffort")'],
    ],
    ["a phase", { status: { phase: {} } }, { phase: undefined }, ["status.phase: Object is not string"]],
    ["a status", { status: [] }, { qosClass: undefined }, []],
    ["a text as its status", { status: "odd" as never }, {}, ['status: "odd" is not Object']],
    [
      "a container without a name",
      { spec: { containers: [{ name: "a" }, {}, 5, { name: "b" }] } },
      { containers: [{ name: "a" }, { name: "b" }] },
      ["spec.containers.1.name: missing", "spec.containers.2: 5 is not Object"],
    ],
    [
      "a container's id",
      ofOne({ containerID: "cri-o://../c" }),
      { containers: [{ name: "c", id: undefined, isUnreadable: true }] },
      [`container c: containerID: "cri-o://../c" is not a container's id`],
    ],
    ["a container's state", ofOne({ state: 5 }), held, ["container c: state: 5 is not Object"]],
    [
      "a container's resources in force",
      ofOne({ resources: { limits: 5 } }),
      held,
      ["container c: status.resources.limits: 5 is not Object"],
    ],
    [
      "an allocation",
      ofOne({ allocatedResources: "all" }),
      held,
      ['container c: allocatedResources: "all" is not Object'],
    ],
    [
      "a status of a container",
      { spec: one, status: { containerStatuses: [null, { name: "c", containerID: "cri-o://abc" }] } },
      { containers: [{ name: "c", id: "abc" }] },
      ["status.containerStatuses.0: null is not Object"],
    ],
    [
      "thousands of containers",
      { spec: { containers: Array.from({ length: 1000 }, () => 5) } },
      { containers: [] },
      [
        ...Array.from({ length: 8 }, (_, index) => `spec.containers.${index}: 5 is not Object`),
        "992 more values are unreadable",
      ],
    ],
  ])("with something else than %s is a pod all the same", (_, parts, expected, problems) => {
    const list = decodePodList(listOf(good, podJson(parts), good));
    expect(list.pods.map((pod) => pod.name)).toEqual(["good", "db-0", "good"]);
    expect(list.pods[1]).toMatchObject({ uid: "uid-1", ...expected });
    expect(list.problems).toEqual(problems.map((problem) => `pod shop/db-0: ${problem}`));
  });

  test("has messages of bounded length", () => {
    const { problems } = decodePodList(listOf(podJson({ status: { phase: [], qosClass: "x".repeat(1e6) } })));
    expect(problems.map(({ length }) => length < 400)).toEqual([true, true]);
  });
});

describe("a memory figure of any size or form", () => {
  const spec = (requests?: unknown, limits?: unknown) => ({
    spec: { containers: [{ name: "c", ...memory(requests as string, limits as string) }] },
  });
  const allocated = (text: string, limit: string) => ({
    ...spec("64Mi", "128Mi"),
    status: {
      containerStatuses: [
        { name: "c", allocatedResources: { memory: text }, resources: { limits: { memory: limit } } },
      ],
    },
  });
  const odd = (figure: string, shown: string) =>
    `pod shop/db-0: container c: the memory ${figure} ${shown} is not a quantity of bytes, so its swap limit stays as it is`;
  const MOST = Number.MAX_SAFE_INTEGER;

  test.each<[string, Parameters<typeof podJson>[0], number, number | undefined, string[]]>([
    ["a limit of 8Pi is none", spec("64Mi", "8Pi"), 64 * MI, undefined, []],
    ["a limit of 9Ei is none", spec("64Mi", "9Ei"), 64 * MI, undefined, []],
    ["the largest limit is none", spec("64Mi", "9223372036854775807"), 64 * MI, undefined, []],
    ["a limit beyond it is none", spec("64Mi", "1e400"), 64 * MI, undefined, []],
    ["the largest exact limit is kept", spec("1", "9007199254740991"), 1, MOST, []],
    ["thousandths are rounded up", spec("1e-3", "1500m"), 1, 2, []],
    ["a number is what it says", spec(64 * MI, 1e21), 64 * MI, undefined, []],
    ["a resized limit of 8Pi is none", allocated("32Mi", "8Pi"), 32 * MI, undefined, []],
    ["a request of 9Ei is more than any node has", spec("9Ei"), MOST, undefined, []],
    ["a request from a limit of 9Ei is as well", spec(undefined, "9Ei"), MOST, undefined, []],
    ["an odd request is none", spec("-1Mi", "1Gi"), 0, 1024 * MI, [odd("request", '"-1Mi"')]],
    ["an odd limit is none", spec("1Mi", "a\nb"), MI, undefined, [odd("limit", '"a\\nb"')]],
    [
      "an odd allocation is none",
      allocated("", "x"),
      0,
      undefined,
      [odd("request", '""'), odd("limit", '"x"')],
    ],
    ["an object is none", spec({}, [1]), 0, undefined, [odd("request", "{}"), odd("limit", "[1]")]],
    ["a truth is none", spec(true, "1Mi"), 0, MI, [odd("request", "true")]],
    ["null is no request", spec(null, null), 0, undefined, []],
  ])("takes no pod out of the list: %s", (_, parts, memoryRequestBytes, memoryLimitBytes, problems) => {
    const list = decodePodList(listOf(podJson(parts)));
    const isUnreadable = problems.length > 0 ? true : undefined;
    expect(list.pods.map(({ containers }) => containers)).toEqual([
      [{ name: "c", id: undefined, memoryRequestBytes, memoryLimitBytes, isUnreadable }],
    ]);
    expect(list.problems).toEqual(problems);
  });

  test("costs a container its figures and a word, or nothing; and no pod", () => {
    const quantity = fc.oneof(
      fc.string(),
      fc.stringMatching(/^[-+]?[0-9.]{1,25}([eE][-+]?[0-9]{1,4}|[numkKMGTPE]i?)?$/),
      fc.jsonValue(),
    );
    fc.assert(
      fc.property(quantity, quantity, quantity, quantity, (...given) => {
        const [requests, limits, allocatedMemory, limitInForce] = given;
        const status = {
          name: "c",
          allocatedResources: { memory: allocatedMemory },
          resources: { requests: { memory: requests }, limits: { memory: limitInForce } },
        };
        const parts = { ...spec(requests, limits), status: { containerStatuses: [status] } };
        const { pods, problems } = decodePodList(listOf(podJson(parts)));
        const [container] = pods[0]?.containers ?? [];
        expect(container?.memoryRequestBytes).toBeWithin(0, Number.MAX_SAFE_INTEGER + 1);
        const limitBytes = container?.memoryLimitBytes;
        expect(limitBytes === undefined || Number.isSafeInteger(limitBytes)).toBe(true);
        expect(container?.isUnreadable === true).toBe(problems.length > 0);
      }),
    );
  });
});

describe("a list", () => {
  test.each([[listOf()], [{ kind: "PodList", items: null }], [{ kind: "PodList" }]])(
    "%j is empty",
    (list) => {
      expect(decodePodList(list)).toEqual({ pods: [], problems: [] });
    },
  );

  test.each<[unknown, RegExp]>([
    ["", /^not JSON: /],
    ["{", /^not JSON: /],
    ["Unauthorized", /^not JSON: /],
    ["[]", /^not a PodList: kind: missing$/],
    [null, /^not a PodList: null is not Object$/],
    [{ kind: "Status" }, /^not a PodList: kind: "Status" is not "PodList"$/],
    [{ kind: "PodList", items: {} }, /^not a PodList: items: Object is not Array$/],
  ])("%j is refused", (list, message) => {
    expect(() => decodePodList(list)).toThrow(message);
  });

  test("reuses the unchanged pods of the previous one, and no other", () => {
    const read = (before: PodListReader | undefined, ...pods: unknown[]) => {
      const reader = new PodListReader(before?.decoded ?? new Map());
      reader.push(new TextEncoder().encode(JSON.stringify(listOf(...pods))));
      return reader;
    };
    const [a, b, c] = ["a", "b", "c"].map((name) => podJson({ metadata: { name } }));
    const changed = podJson({ metadata: { name: "b" }, spec: { priority: 1 } });
    const first = read(undefined, a, b);
    const second = read(first, changed, c, a);
    const [podA] = first.end().pods;
    const { pods } = second.end();
    expect(pods.map(({ name, priority }) => [name, priority])).toEqual([
      ["b", 1],
      ["c", undefined],
      ["a", undefined],
    ]);
    expect(pods[2]).toBe(podA as Pod);
    expect(second.decoded.size).toBe(3);
  });

  describe("with pods of any size", () => {
    const MAX_BYTES = 16 * MI;
    const env = (bytes: number) => [{ name: "A", value: "<".repeat(bytes / 6) }];
    /** Text as Go writes it, with `<` as six bytes. */
    const textOf = (pod: object) => JSON.stringify(pod).replaceAll("<", "\\u003c");
    const large = (bytes: number, name = "large") =>
      textOf(
        podJson({
          metadata: {
            name,
            namespace: "shop",
            uid: `uid-${name}`,
            annotations: { note: "x".repeat(bytes / 2) },
          },
          spec: { containers: [{ env: env(bytes / 2), name: "c", ...memory("64Mi"), image: "i" }] },
          status: { qosClass: "Burstable", containerStatuses: [{ name: "c", containerID: "cri-o://abc" }] },
        }),
      );
    const small = textOf(podJson({ metadata: { name: "small", uid: "uid-small" } }));
    const read = (items: readonly string[], before?: PodListReader, maxPods = 10_000) => {
      const reader = new PodListReader(before?.decoded ?? new Map(), { maxPods });
      const bytes = Buffer.from(`{"kind":"PodList","metadata":{},"items":[${items.join(",")}]}`);
      for (let at = 0; at < bytes.length; at += 65_536) reader.push(bytes.subarray(at, at + 65_536));
      return { reader, ...reader.end() };
    };
    const leftOut =
      "pod shop/large is left out, and its known containers keep their limits: its text exceeds 16777216 bytes";

    test.each([1000, 300_000, 9 * MI, 15 * MI])("reads one of %d bytes", (bytes) => {
      const { pods, problems } = read([small, large(bytes), small]);
      expect(problems).toEqual([]);
      expect(pods.map(({ name }) => name)).toEqual(["small", "large", "small"]);
      expect(pods[1]).toMatchObject({
        uid: "uid-large",
        qosClass: "Burstable",
        containers: [{ name: "c", id: "abc", memoryRequestBytes: 64 * MI }],
      });
    });

    test("reads hundreds of them in the memory of one", () => {
      const item = Buffer.from(`${large(2 * MI)},`);
      const reader = new PodListReader(new Map());
      reader.push(Buffer.from('{"kind":"PodList","items":['));
      Bun.gc(true);
      const before = process.memoryUsage.rss();
      for (let i = 0; i < 200; i++) reader.push(item);
      const grown = process.memoryUsage.rss() - before;
      reader.push(Buffer.from(`${small}]}`));
      expect(reader.end().pods).toHaveLength(201);
      expect(grown).toBeLessThan(64 * MI);
    });

    test("leaves out and names one that is too large, and no other", () => {
      const { pods, problems } = read([small, large(MAX_BYTES + 1000), small]);
      expect(pods.map(({ name }) => name)).toEqual(["small", "small"]);
      expect(problems).toEqual([leftOut]);
    });

    test("keeps one that becomes too large as it was, for as long as it is listed", () => {
      const first = read([large(1000), small]);
      const second = read([small, large(MAX_BYTES + 1000)], first.reader);
      expect(second.pods[1]).toBe(first.pods[0] as Pod);
      const third = read([large(MAX_BYTES + 1000)], second.reader);
      expect(third.pods).toEqual([first.pods[0] as Pod]);
      expect(third.problems).toEqual([leftOut]);
      expect(read([small], third.reader).pods.map(({ name }) => name)).toEqual(["small"]);
    });

    test("leaves out one whose needed fields are too large", () => {
      const annotations = Object.fromEntries(
        Array.from({ length: 2000 }, (_, index) => [`wasp.io/${index}`, "x".repeat(1000)]),
      );
      const { pods, problems } = read([textOf(podJson({ metadata: { annotations } })), small]);
      expect(pods.map(({ name }) => name)).toEqual(["small"]);
      expect(problems).toEqual([
        "pod shop/db-0 is left out, and its known containers keep their limits: its containers and annotations exceed 1048576 bytes",
      ]);
    });

    test("leaves out one that is no JSON", () => {
      const { pods, problems } = read([
        small,
        '{"metadata":{"name":"a","namespace":"b"},"spec":nonsense}',
        small,
      ]);
      expect(pods.map(({ name }) => name)).toEqual(["small", "small"]);
      expect(problems).toEqual([expect.stringMatching(/^pod b\/a is left out, .* not JSON: /)]);
    });

    test("prefers those that are known to new ones beyond the largest number", () => {
      const named = (name: string, priority = 0) =>
        textOf(podJson({ metadata: { name, uid: name }, spec: { priority } }));
      const first = read([named("a"), named("b")], undefined, 3);
      const second = read([named("c"), named("d"), named("b", 1), named("a")], first.reader, 3);
      expect(second.pods.map(({ name }) => name)).toEqual(["c", "b", "a"]);
      expect(second.problems).toEqual(["the list has more than 3 pods: new ones are left out"]);
      const third = read([named("d"), named("c")], second.reader, 3);
      expect(third.pods.map(({ name }) => name)).toEqual(["c"]);
      expect(read([named("d"), named("c")], third.reader, 3).problems).toEqual([]);
    });

    test("keeps a bounded number of its containers and annotations", () => {
      const many = Array.from({ length: 1200 }, (_, index) => ({ name: `c${index}` }));
      const annotations = { "wasp.io/evict": "x".repeat(20_000), "kubernetes.io/config.source": "file" };
      const { pods, problems } = read([
        textOf(podJson({ metadata: { annotations }, spec: { containers: many } })),
      ]);
      expect(pods[0]?.containers).toHaveLength(1000);
      expect(pods[0]?.containers[0]?.isUnreadable).toBe(true);
      expect(pods[0]?.annotations).toEqual({ "kubernetes.io/config.source": "file" });
      expect(problems).toEqual([
        "pod shop/db-0: metadata.annotations: those that wasp reads exceed 16384 characters",
        "pod shop/db-0: spec.containers: all but 1000 of 1200 are left out",
      ]);
    });

    test("has the same pods as its whole text, for the recorded list made large", () => {
      const items = recorded.items.map((item: object) => ({ ...item, padding: "x".repeat(400_000) }));
      expect(read(items.map((item: object) => JSON.stringify(item))).pods).toEqual(
        decodePodList(recordedPods("kubelet-pods.json")).pods,
      );
    });
  });

  test("of arbitrary pods is decoded, each to a pod or at least a problem", () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(fc.jsonValue(), damagedPod())), (items) => {
        const { pods, problems } = decodePodList(listOf(...items));
        expect(pods.length).toBeLessThanOrEqual(items.length);
        expect(pods.length + problems.length).toBeGreaterThanOrEqual(items.length);
        for (const { containers } of pods) {
          for (const { memoryRequestBytes } of containers)
            expect(memoryRequestBytes).toBeGreaterThanOrEqual(0);
        }
      }),
    );
  });

  test("of arbitrary text or JSON is refused", () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json(), fc.jsonValue()), (list) => {
        expect(() => decodePodList(list)).toThrow(/^not (JSON|a PodList): /);
      }),
    );
  });

  /** Generates a recorded pod with one value, at any depth, replaced by another. */
  function damagedPod() {
    const paths = recorded.items.flatMap((item: unknown, index: number) =>
      pathsIn(item).map((path) => [index, ...path]),
    );
    return fc.tuple(fc.constantFrom(...paths), fc.jsonValue()).map(([path, value]) => {
      const [index, ...rest] = path as [number, ...string[]];
      return withValue(recorded.items[index], rest, value);
    });
  }

  function pathsIn(value: unknown): string[][] {
    if (typeof value !== "object" || value === null) return [[]];
    const below = Object.entries(value).flatMap(([key, child]) =>
      pathsIn(child).map((path) => [key, ...path]),
    );
    return [[], ...below];
  }

  function withValue(whole: unknown, path: string[], value: unknown): unknown {
    const [key, ...rest] = path;
    if (key === undefined) return value;
    const copy = structuredClone(whole) as Record<string, unknown>;
    copy[key] = withValue(copy[key], rest, value);
    return copy;
  }
});
