/** The message that a promise is rejected with; throws when it is not. For what Bun's own `rejects` waits for, the rest of this process may stand still. */
export async function complaint(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
  } catch (error) {
    return (error as Error).message;
  }
  throw new Error("nobody complained");
}
