// The engines of JavaScript: node engines.mjs RULES PEER
//
// RULES has what rules.py wrote, and cases.json. Prints one object of JSON. Runs where
// its packages are installed, since that is where Node.js looks for them.
import fs from 'node:fs';
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);
const [rules, peer] = process.argv.slice(2);
const read = (name) => fs.readFileSync(`${rules}/${name}`, 'utf8');
const { cells, judgements, indicators } = JSON.parse(read('rule.json'));
const cases = JSON.parse(read('cases.json'));

// A case as an engine is given it: levels, and shares or null.
function given(one, level = (value) => value) {
  const context = {};
  for (const name of judgements) context[name] = level(one[name]);
  for (const name of indicators) context[name] = one[name] && one[name][0] / one[name][1];
  return context;
}

// Each makes a function from what it is given to the stars, or to a promise of them, and
// says how many are best asked for together.
const peers = {
  'GoRules ZEN': () => {
    // The binding itself: the package around it is at an older version.
    const { ZenEngine } = require('@gorules/zen-engine-linux-x64-gnu');
    const decision = new ZenEngine().createDecision(Buffer.from(read('zen.json')));
    return [async (context) => (await decision.evaluate(context)).result.stars,
      { together: 256 }];
  },
  'json-rules-engine': () => {
    const { Engine } = require('json-rules-engine');
    const engine = new Engine(JSON.parse(read('json-rules.json')), { allowUndefinedFacts: true });
    engine.on('cap', ({ target, level }, almanac) =>
      almanac.factValue(target).then((value) => {
        if (value > level) almanac.addFact(`${target}_capped`, level);
      }));
    return [async (context) => {
      const facts = { ...context };
      for (const name of judgements) facts[`${name}_capped`] = context[name];
      const { events } = await engine.run(facts);
      return Math.min(...events.filter((e) => e.type === 'stars').map((e) => e.params.level));
    }];
  },
  'CEL in JavaScript': async () => {
    const { Environment } = await import('@marcbachmann/cel-js');
    const environment = new Environment({ unlistedVariablesAreDyn: true });
    environment.registerConstant('table', 'list', cells.map(BigInt));
    const stars = environment.parse(read('stars.cel'));
    return [(context) => Number(stars(context)), { level: BigInt, together: 256 }];
  },
};

const [decide, { level, together = 1 } = {}] = await peers[peer]();
const contexts = cases.map((one) => given(one, level));

// The stars of cases from `at` on, `together` at a time.
const some = (at) => Promise.all(contexts.slice(at, at + together).map(decide));

let agreed = 0;
for (let at = 0; at < cases.length; at += together) {
  (await some(at)).forEach((stars, i) => { agreed += stars === cases[at + i].stars; });
}

// Seconds of a core that the process has used.
function used() {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}

// Decisions in a second of a core, over all cases again and again.
async function turn() {
  let done = 0;
  const begun = used();
  while (used() - begun < 1) {
    for (let at = 0; at < cases.length && used() - begun < 1; at += together) {
      done += (await some(at)).length;
    }
  }
  return done / (used() - begun);
}

const rates = [];
while (agreed === cases.length && rates.length < 3) rates.push(await turn());
rates.sort((a, b) => a - b);
console.log(JSON.stringify({
  peer, agreed, cases: cases.length, decisions_per_second: rates[1] ?? 0,
}));
