import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { conflict, failure, hangUp, notFound, tooBusy, webhookDenial } from "../node/api-answers.ts";
import { recordedApiAnswer } from "../node/fake-api-server.ts";
import { type Answer, silence } from "../node/fake-kubelet.ts";
import { NODE, PressedNode } from "../node/pressed-node.ts";
import { patience } from "../patience.ts";

setDefaultTimeout(patience(120));

const FIRST = "POST /api/v1/namespaces/test/pods/pod-1/eviction";
const OTHER_UID = "the UID in the precondition (a) does not match the UID in record (b).";

/** A node with two candidates for eviction, pod-1 first, and a pod that is well within its requests. */
async function startPressed(knobs: Readonly<Record<string, unknown>> = {}): Promise<PressedNode> {
  const pressed = await PressedNode.start(knobs);
  pressed.addPod(1, 600);
  pressed.addPod(2, 300);
  pressed.addPod(3, 20);
  return pressed;
}

const NEXT_ONE: [string, Answer, string, RegExp][] = [
  [
    "a disruption budget does not allow",
    recordedApiAnswer("eviction-429-pdb.http"),
    "blocked",
    /The disruption budget web needs 1 healthy pods and has 1 currently/,
  ],
  ["is gone", notFound("pods", "pod-1"), "gone", /pods "pod-1" not found/],
  [
    "was replaced by a pod of its name",
    conflict("Pod", "pod-1", OTHER_UID),
    "gone",
    /does not match the UID/,
  ],
  [
    "is a virtual machine that cannot be moved",
    webhookDenial(429, "VMI vm is configured with an eviction strategy but is not live-migratable"),
    "never",
    /is not live-migratable/,
  ],
  [
    "a virtual machine is just moving into",
    webhookDenial(429, "Eviction request for target Pod"),
    "never",
    /target Pod/,
  ],
  [
    "holds a virtual machine's disk",
    webhookDenial(429, "cannot evict hotplug pod: hp associated with running vmi: vm in namespace test"),
    "never",
    /hotplug pod/,
  ],
  [
    "has two disruption budgets",
    failure(500, undefined, "This pod has more than one PodDisruptionBudget, which is not supported"),
    "never",
    /more than one PodDisruptionBudget/,
  ],
  [
    "a policy protects",
    failure(422, "Invalid", "ValidatingAdmissionPolicy 'keep' with binding 'all' denied request: no"),
    "never",
    /denied request: no/,
  ],
];

const ASKED_AGAIN: [string, Answer, RegExp][] = [
  ["a conflict", conflict("Pod", "pod-1", "the object has been modified"), /answered 409 .*modified/],
  ["a failure of the API server", failure(500, "InternalError", "etcd is full"), /answered 500 etcd is full/],
];

describe.concurrent("a victim that", () => {
  test.each(NEXT_ONE)("%s is skipped for the next candidate", async (_, refusal, answer, message) => {
    using pressed = await startPressed();
    pressed.server.objects.always(FIRST, refusal);
    await using agent = pressed.agent();
    const refused = await agent.event("eviction-refused");
    expect(refused).toMatchObject({ pod: "pod-1", answer, message: expect.stringMatching(message) });
    expect(await agent.event("pod-evicted")).toMatchObject({ pod: "pod-2" });
    expect(pressed.asked).toEqual(["pod-1", "pod-2"]);
    expect(await agent.metric(`wasp_evictions_total{answer="${answer}"}`)).toBe(1);
  });

  test("KubeVirt moves to another node is awaited", async () => {
    using pressed = await startPressed();
    const evacuates = webhookDenial(429, 'Eviction triggered evacuation of VMI "test/vm"');
    pressed.server.objects.always(FIRST, evacuates);
    await using agent = pressed.agent();
    expect(await agent.event("pod-evicted")).toMatchObject({ pod: "pod-1", answer: "evacuating" });
    await agent.event("victim-awaited");
    await agent.until(() => pressed.server.objects.events.size === 2, "two events");
    expect(pressed.asked).toEqual(["pod-1"]);
    // It runs elsewhere now, and the pressure lasts.
    pressed.remove("pod-1");
    expect(await agent.event("victim-gone")).toMatchObject({ namespace: "test", pod: "pod-1" });
    await agent.event("pod-evicted", ({ pod }) => pod === "pod-2");
    expect(pressed.asked).toEqual(["pod-1", "pod-2"]);
  });

  test.each(ASKED_AGAIN)(
    "could not be evicted because of %s is tried again later",
    async (_, answer, message) => {
      using pressed = await startPressed();
      pressed.server.objects.instead(FIRST, answer);
      await using agent = pressed.agent();
      expect(await agent.event("eviction-refused")).toMatchObject({
        pod: "pod-1",
        answer: "failed",
        message: expect.stringMatching(message),
      });
      await agent.event("eviction-held", ({ reason }) => reason === "cooldown");
      expect(await agent.event("pod-evicted")).toMatchObject({ pod: "pod-1" });
      expect(pressed.asked).toEqual(["pod-1", "pod-1"]);
    },
  );

  test("could not be evicted because the connection is lost each time is tried again later", async () => {
    using pressed = await startPressed();
    pressed.server.objects.instead(FIRST, hangUp, hangUp, hangUp);
    await using agent = pressed.agent();
    const refused = await agent.event("eviction-refused");
    expect(refused).toMatchObject({ answer: "failed", message: expect.stringMatching(/connection|closed/i) });
    expect(pressed.asked).toEqual(["pod-1", "pod-1", "pod-1"]);
    await agent.event("eviction-held", ({ reason }) => reason === "cooldown");
    expect(await agent.event("pod-evicted")).toMatchObject({ pod: "pod-1" });
    expect(pressed.asked).toHaveLength(4);
  });

  test("was requested too soon is tried again after the API server's delay", async () => {
    using pressed = await startPressed();
    const asked: number[] = [];
    pressed.server.objects.beforeServing = ({ line }) => {
      if (line === FIRST) asked.push(performance.now());
    };
    pressed.server.objects.instead(FIRST, tooBusy);
    await using agent = pressed.agent();
    expect(await agent.event("eviction-refused")).toMatchObject({ answer: "failed" });
    await agent.event("pod-evicted", ({ pod }) => pod === "pod-1");
    const [first = 0, second = 0] = asked;
    expect(second - first).toBeGreaterThanOrEqual(7000);
  });

  test("was evicted without an answer is not followed by another one", async () => {
    using pressed = await startPressed({ cooldownSeconds: 3600 });
    // The eviction is carried out, but its answer is lost.
    pressed.server.objects.withhold(({ line }) => line === FIRST);
    await using agent = pressed.agent();
    expect(await agent.event("eviction-refused")).toMatchObject({
      answer: "failed",
      message: expect.stringMatching(/did not answer within 30 s/),
    });
    // Not the pause after a failure, but the cooldown after an eviction.
    await agent.event("eviction-held", (entry) => Number(entry["leftSeconds"]) > 3000);
    expect(pressed.asked).toEqual(["pod-1"]);
  });

  test("never terminates is followed by the next candidate when the wait times out", async () => {
    using pressed = await startPressed({ victimDeadlineSeconds: 2 });
    pressed.server.objects.onTermination = (name) => name !== "pod-1" && pressed.remove(name);
    await using agent = pressed.agent();
    await agent.event("pod-evicted", ({ pod }) => pod === "pod-2");
    expect(pressed.asked).toEqual(["pod-1", "pod-2"]);
    expect(await agent.event("victim-awaited")).toMatchObject({ pod: "pod-1" });
    expect(await agent.event("victim-overdue")).toMatchObject({ level: "warning" });
  });
});

describe.concurrent("while no disruption budget yields", () => {
  const startBlocked = async (lastResort: string) => {
    const pressed = await startPressed({ lastResort });
    for (const name of ["pod-1", "pod-2", "pod-3"])
      pressed.server.objects.always(
        `POST /api/v1/namespaces/test/pods/${name}/eviction`,
        recordedApiAnswer("eviction-429-pdb.http"),
      );
    return pressed;
  };
  const deletions = ({ server }: PressedNode) =>
    server.objects.requests.filter(({ line }) => line.startsWith("DELETE"));

  test("nothing is evicted, and log, Events and metrics show it", async () => {
    using pressed = await startBlocked("None");
    await using agent = pressed.agent();
    await agent.event("eviction-held", ({ reason }) => reason === "relieving-blocked");
    expect(pressed.asked).toEqual(["pod-1", "pod-2"]);
    expect(deletions(pressed)).toEqual([]);
    const events = [...pressed.server.objects.events.values()];
    expect(events).toContainEqual(
      expect.objectContaining({
        reason: "SwapEvictionRefused",
        message: expect.stringMatching(/^test\/pod-2 is not evicted for now: .* disruption budget/),
      }),
    );
  });

  test("the first victim is deleted as the last resort, where that is allowed", async () => {
    using pressed = await startBlocked("Delete");
    await using agent = pressed.agent();
    const evicted = await agent.event("pod-evicted");
    expect(evicted).toMatchObject({ pod: "pod-1" });
    await agent.event("eviction-decided", ({ method, pod }) => method === "delete" && pod === "pod-1");
    const preconditions = { uid: evicted["podUid"] };
    expect(deletions(pressed)).toEqual([
      {
        line: "DELETE /api/v1/namespaces/test/pods/pod-1",
        contentType: "application/json",
        body: { apiVersion: "v1", kind: "DeleteOptions", preconditions },
      },
    ]);
  });
});

describe.concurrent("an agent that", () => {
  test("may write neither nodes nor Events evicts all the same, and logs that once", async () => {
    using pressed = await startPressed();
    const { objects } = pressed.server;
    const forbidden = failure(403, "Forbidden", "no such permission");
    objects.always(`PATCH /api/v1/nodes/${NODE}`, forbidden);
    objects.always(`PATCH /api/v1/nodes/${NODE}/status`, forbidden);
    objects.always("POST /api/v1/namespaces/test/events", forbidden);
    objects.always("POST /api/v1/namespaces/default/events", forbidden);
    await using agent = pressed.agent();
    expect(await agent.event("pod-evicted")).toMatchObject({ pod: "pod-1" });
    expect(await agent.event("node-unmarked")).toMatchObject({
      level: "warning",
      error: expect.stringMatching(/no such permission/),
    });
    expect(await agent.event("event-unrecorded")).toMatchObject({ level: "warning" });
    await agent.event("pod-evicted", ({ pod }) => pod === "pod-2");
  });

  test("cannot read its node evicts nothing until it can", async () => {
    using pressed = await startPressed();
    pressed.server.objects.instead(
      `GET /api/v1/nodes/${NODE}`,
      failure(403, "Forbidden", "no such permission"),
    );
    await using agent = pressed.agent();
    expect(await agent.event("node-unmarked")).toMatchObject({
      error: expect.stringMatching(/no such permission/),
    });
    await agent.event("eviction-held", ({ reason }) => reason === "past-unknown");
    expect(pressed.asked).toEqual([]);
    await agent.event("node-marked");
    await agent.event("pod-evicted");
  });

  test("gets a signal removes the taint, and ends with 0", async () => {
    using pressed = await startPressed();
    pressed.server.objects.always(FIRST, silence);
    await using agent = pressed.agent();
    await agent.event("node-tainted");
    // During a request.
    await agent.until(() => pressed.asked.length > 0, "a request to evict");
    expect(await agent.stop()).toBe(0);
    expect(pressed.taints).toEqual([]);
    expect(pressed.condition).toMatchObject({ status: "Unknown", reason: "AgentStopped" });
    expect(agent.events("eviction-refused")).toEqual([]);
    expect(agent.stderr).toBe("");
  });
});
