// axe-core over every page of the built site, light and dark, on a screen, a tablet and a phone.
// Called by `make axe`: node tests/promises/axe.mjs NODE_MODULES SITE. Exit status 1 where it finds anything
// serious or critical, a page asks for something outside, raises an error or is wider than its window.
import fs from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { record } from "./recording.mjs";

const [modules, site] = process.argv.slice(2);
const require = createRequire(path.join(modules, "here.js"));
const { chromium } = require("playwright-core");
const axe = fs.readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");

// The pages of sizes and of the reference are made by one program each: one in so many is looked at.
const folders = { book: 1, analyses: 1, "book/sizes": 29, "book/reference": 4 };
const pages = Object.entries(folders).flatMap(([folder, step]) =>
  fs
    .readdirSync(path.join(site, folder))
    .filter((name) => name.endsWith(".html"))
    .filter((_, place) => place % step === 0)
    .map((name) => path.join(folder, name)),
);
const found = new Map(); // what was found -> where
const note = (what, where) => found.set(what, [...(found.get(what) ?? []), where]);

const args = process.getuid?.() === 0 ? ["--no-sandbox"] : [];
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM, args });
for (const colorScheme of ["light", "dark"]) {
  for (const width of [1300, 768, 390]) {
    const viewport = { width, height: 900 };
    const context = await browser.newContext({ viewport, colorScheme, reducedMotion: "reduce" });
    const page = await context.newPage();
    let where = "";
    page.on("pageerror", (error) => note(`error: ${error.message}`, where));
    page.on("request", (request) => {
      if (!/^(file|data|blob):/.test(request.url())) note(`outside: ${request.url()}`, where);
    });
    for (const name of pages) {
      where = `${name} (${colorScheme}, ${width})`;
      await page.goto(pathToFileURL(path.join(site, name)).href);
      await page.evaluate(() => window.MathJax?.startup?.promise);
      await page.waitForFunction(() => document.documentElement.dataset.theme); // its colours
      await page.waitForTimeout(300); // for what scripts do after that
      const wide = await page.evaluate(() => document.documentElement.scrollWidth > window.innerWidth);
      if (wide) note("wider than the window", where);
      await page.evaluate(axe);
      const { violations } = await page.evaluate(() => window.axe.run({ resultTypes: ["violations"] }));
      for (const { id, impact, nodes } of violations) {
        if (!["serious", "critical"].includes(impact)) continue;
        for (const node of nodes) note(`${impact}: ${id}: ${node.target.join(" ")}`, where);
      }
    }
    await context.close();
  }
}
await browser.close();

for (const [what, places] of found) {
  console.log(`${what}\n    on ${places.length} pages, the first ${places[0]}`);
}
console.log(`${pages.length} pages, six times each: ${found.size} findings`);
process.exitCode = found.size ? 1 : 0;
record("make axe", { pages: pages.length, findings: found.size });
