// Fails unless every operation of the specification was called by some test.
//   node coverage.mjs openapi.yaml CALLS      (CALLS has a line "METHOD path-template" per call)
import { readFileSync } from "node:fs";
import { parse } from "yaml";

const [spec, calls] = process.argv.slice(2).map((file) => readFileSync(file, "utf8"));
const called = new Set(calls.split("\n"));
const operations = Object.entries(parse(spec).paths).flatMap(([path, item]) =>
  Object.keys(item)
    .filter((method) => ["get", "post", "put", "patch", "delete"].includes(method))
    .map((method) => `${method.toUpperCase()} ${path}`),
);
const missed = operations.filter((operation) => !called.has(operation));
missed.forEach((operation) => console.log(`never called: ${operation}`));
console.log(`${operations.length - missed.length} of ${operations.length} operations called`);
process.exit(missed.length ? 1 : 0);
