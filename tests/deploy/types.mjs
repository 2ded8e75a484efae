// Holds objects to Kubernetes' types: types.mjs DOCUMENTS, a JSON file with a list of
// {label, object}; prints a JSON object of the faults by label. Run from below build/deploy, where
// the types are.
//
// Twice, since neither sees all: tsc reads each object as a literal of its type, and so finds what
// the type does not have, at any depth; the models' own validators know formats, as of quantities.
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

const packages = {
  "cert-manager.io": "@kubernetes-models/cert-manager",
  "monitoring.coreos.com": "@kubernetes-models/prometheus-operator",
};
// Words that the types leave open and the server does not: kind, place, what it takes.
const words = [
  ["HorizontalPodAutoscaler", /^spec\.metrics\.\d+\.type$/,
    ["ContainerResource", "External", "Object", "Pods", "Resource"]],
  ["HorizontalPodAutoscaler", /^spec\.metrics\.\d+\.\w+\.target\.type$/,
    ["AverageValue", "Utilization", "Value"]],
];
const documents = JSON.parse(readFileSync(process.argv[2], "utf8"));
const directory = dirname(process.argv[2]);
const faults = Object.fromEntries(documents.map(({ label }) => [label, []]));

// The module that has the type of an object; undefined if nothing does.
async function moduleOf(object) {
  const [version, group] = object.apiVersion.split("/").reverse();
  const path = [packages[group] ?? "kubernetes-models", group, version, object.kind];
  const name = path.filter(Boolean).join("/");
  try {
    return { name, model: (await import(name))[object.kind] };
  } catch {
    return undefined;
  }
}

function* leaves(value, place = []) {
  if (value === null || typeof value !== "object") yield [place.join("."), value];
  else for (const key of Object.keys(value)) yield* leaves(value[key], [...place, key]);
}

const lines = [];
const labels = []; // By line of the program that tsc reads.
for (const { label, object } of documents) {
  const module = await moduleOf(object);
  if (module?.model === undefined) {
    faults[label].push(`there is no type ${object.kind} of ${object.apiVersion}`);
    continue;
  }
  try {
    new module.model(object).validate();
  } catch (error) {
    faults[label].push(error.message);
  }
  for (const [place, value] of leaves(object)) {
    for (const [kind, where, taken] of words) {
      if (kind === object.kind && where.test(place) && !taken.includes(value)) {
        faults[label].push(`${place} is ${value}, and not one of ${taken}`);
      }
    }
  }
  const type = `import("${module.name}").I${object.kind}`;
  labels.push(label);
  lines.push(`export const v${lines.length}: ${type} = ${JSON.stringify(object)};`);
}

const program = join(directory, "objects.ts");
writeFileSync(program, lines.join("\n") + "\n");
const tsc = createRequire(import.meta.url).resolve("typescript/bin/tsc");
const options = ["--noEmit", "--strict", "--skipLibCheck", "--pretty", "false",
  "--module", "nodenext", "--moduleResolution", "nodenext", "--target", "es2022"];
let told = "";
try {
  execFileSync(process.execPath, [tsc, ...options, program], { encoding: "utf8", maxBuffer: 1 << 28 });
} catch (error) {
  told = error.stdout || String(error);
}
// Each error begins with its place; what is indented goes on with the one before.
for (const line of told.split("\n").filter((line) => line && !line.startsWith(" "))) {
  const place = /^[^(]*objects\.ts\((\d+),\d+\): (.*)$/.exec(line);
  if (place === null) throw new Error(`tsc said: ${line}`);
  faults[labels[Number(place[1]) - 1]].push(place[2]);
}
console.log(JSON.stringify(faults));
