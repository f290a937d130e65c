// Compares wasp's default thresholds with other rules on recordings with a known truth: `npm run bench:decisions`. It
// prints values, and fails only if a recording cannot be read.
import { ROOT } from "../node/binary.ts";
import { judgeFolder } from "./judged.ts";

process.stdout.write(await judgeFolder(process.argv[2] ?? `${ROOT}/tests/fixtures/traces`));
