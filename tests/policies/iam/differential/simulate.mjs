// Reads one simulation per line, writes "Allowed", "ImplicitlyDenied", "ExplicitlyDenied" or "error: …" per line.
import { createInterface } from "node:readline";
import { runSimulation } from "@cloud-copilot/iam-simulate";

for await (const line of createInterface({ input: process.stdin })) {
  const answer = await runSimulation(JSON.parse(line), {});
  process.stdout.write(
    (answer.resultType === "error" ? `error: ${JSON.stringify(answer.errors)}` : answer.overallResult) + "\n",
  );
}
