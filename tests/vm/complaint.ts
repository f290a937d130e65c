/**
 * The message that a promise is rejected with; throws when it is not. Bun's own `rejects` runs the event loop from
 * within, and what a plugin in this process has to do for the promise to settle is then not done.
 */
export async function complaint(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
  } catch (error) {
    return (error as Error).message;
  }
  throw new Error("nobody complained");
}
