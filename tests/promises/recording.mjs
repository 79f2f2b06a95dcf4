// Appends a record of a run to runs.jsonl where the script was called with --record.
import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";

const runs = fileURLToPath(new URL("runs.py", import.meta.url));

export function record(script, counts) {
  if (!process.argv.includes("--record")) return;
  execFileSync(process.env.PYTHON ?? "python3", [runs, "--add", JSON.stringify({ script, case: "", counts })]);
}
