// How wasp's default thresholds do on recordings of which the truth is known, beside other rules:
// `npm run bench:decisions`. It prints figures, and fails only where a recording cannot be read.
import { ROOT } from "../node/binary.ts";
import { judgeFolder } from "./judged.ts";

process.stdout.write(await judgeFolder(process.argv[2] ?? `${ROOT}/tests/fixtures/traces`));
