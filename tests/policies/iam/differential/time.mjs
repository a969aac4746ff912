// Reads one simulation per line; writes milliseconds (median of 5) and the answer of each, as JSON.
import { createInterface } from "node:readline";
import { runSimulation } from "@cloud-copilot/iam-simulate";

const lines = [];
for await (const line of createInterface({ input: process.stdin })) lines.push(JSON.parse(line));
for (let warm = 0; warm < 50; warm++) await runSimulation(lines[warm % lines.length], {});
for (const [document, simulation] of lines.entries()) {
  const times = [];
  let answer;
  for (let round = 0; round < 5; round++) {
    const begin = performance.now();
    answer = await runSimulation(simulation, {});
    times.push(performance.now() - begin);
  }
  const flagged = answer.resultType === "error" ? null : answer.overallResult === "Allowed";
  console.log(JSON.stringify({ tool: "iam-simulate", document, ms: times.sort((a, b) => a - b)[2], flagged }));
}
