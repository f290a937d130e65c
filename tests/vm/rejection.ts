/**
 * Returns the message that a promise is rejected with; throws if it is resolved. Bun's own `rejects` blocks the event loop,
 * so that a plugin in this process could not answer.
 */
export async function rejection(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
  } catch (error) {
    return (error as Error).message;
  }
  throw new Error("the promise was not rejected");
}
