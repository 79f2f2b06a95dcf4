// The page "Play with the networks" in a real browser: its networks against the package, its controls by
// keyboard. Called by `make play`: node tests/promises/play.mjs NODE_MODULES SITE CASES, where CASES is
// what tests/promises/play_cases.py has printed. Exit status 1 where anything differs.
import fs from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { record } from "./recording.mjs";

const [modules, site, given] = process.argv.slice(2);
const require = createRequire(path.join(modules, "here.js"));
const { chromium } = require("playwright-core");
const cases = JSON.parse(fs.readFileSync(given, "utf8"));
const TOLERANCE = 1e-12;

let n_checks = 0;
let n_failed = 0;
function check(name, holds, found = "") {
  n_checks += 1;
  if (holds) return;
  n_failed += 1;
  console.log(`FAILED ${name} ${JSON.stringify(found)}`);
}
const same = (a, b) => JSON.stringify(a) === JSON.stringify(b);

const args = process.getuid?.() === 0 ? ["--no-sandbox"] : [];
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM, args });
const address = pathToFileURL(path.join(site, "book", "play.html")).href;

async function open(options) {
  const context = await browser.newContext({ viewport: { width: 1300, height: 900 }, ...options });
  const page = await context.newPage();
  page.on("pageerror", (error) => check("no script fails", false, error.message));
  page.on("request", (request) => {
    if (!/^(file|data|blob):/.test(request.url())) check("nothing from outside", false, request.url());
  });
  await page.goto(address);
  return page;
}

// ---- numbers ---------------------------------------------------------------------------------
const page = await open({ reducedMotion: "no-preference" });
const found = await page.evaluate(({ networks, planes, family }) => {
  const { network, wedges, play } = globalThis.algzoo;
  return {
    networks: networks.map(({ weights, inputs }) => inputs.map((x) => network.outputs(weights, x))),
    answers: networks.map(({ outputs }) => outputs.map(network.answer)),
    planes: planes.map(({ weights }) => wedges.error(wedges.wedges(weights))),
    family: Object.keys(family).map((lam) => play.familyError(Number(lam))),
    gaussians: [play.gaussians(7, 2000), play.gaussians(7, 3), play.gaussians(8, 3)],
  };
}, cases);
cases.networks.forEach(({ outputs, answers }, k) => {
  const scale = Math.max(...outputs.flat().map(Math.abs));
  const off = Math.max(...outputs.flat().map((value, i) => Math.abs(value - found.networks[k].flat()[i])));
  check(`logits of network ${k}`, off < TOLERANCE * scale, off);
  check(`answers of network ${k}`, same(answers, found.answers[k]));
});
cases.planes.forEach(({ error }, k) => {
  check(`exact error ${k}`, Math.abs(error - found.planes[k]) < TOLERANCE, [error, found.planes[k]]);
});
Object.entries(cases.family).forEach(([lam, error], k) => {
  check(`formula at ${lam}`, Math.abs(error - found.family[k]) < TOLERANCE, [error, found.family[k]]);
});
const [many, again, other] = found.gaussians;
const mean = many.reduce((sum, x) => sum + x, 0) / many.length;
const variance = many.reduce((sum, x) => sum + (x - mean) ** 2, 0) / many.length;
check("random inputs are Gaussian", Math.abs(mean) < 0.1 && Math.abs(variance - 1) < 0.15, [mean, variance]);
check("random inputs are those of their seed", same(again, many.slice(0, 3)) && !same(again, other));

// ---- controls --------------------------------------------------------------------------------
const read = (name, on = page) => on.locator(`#play-${name} .play-reading`).innerText();
const press = (name, label) =>
  page.locator(`#play-${name}`).getByRole("button", { name: label, exact: true }).click();
const numberIn = (words, before) => {
  const [, factor, power] = words.match(new RegExp(`${before} ([\\d.]+)(?: × 10([⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+))?`));
  const exponent = [...(power || "⁰")].map((sign) => "⁻⁰¹²³⁴⁵⁶⁷⁸⁹".indexOf(sign));
  const size = Number(exponent.filter((digit) => digit > 0).map((digit) => digit - 1).join(""));
  return Number(factor) * 10 ** (exponent[0] === 0 ? -size : size);
};
const near = (a, b) => Math.abs(a - b) < 1e-5 * b; // six digits are shown

const trained = numberIn(await read("plane"), "Error rate");
check("M2,2 as trained", near(trained, cases.trained), trained);
check("all ten weights have sliders", (await page.locator("#play-plane input[type=range]").count()) === 10);
await page.locator("#play-plane").getByRole("slider").nth(4).focus();
await page.keyboard.press("ArrowRight");
const value = await page.locator("#play-plane input").nth(4).inputValue();
check("a key moves a slider by one step", Number(value) === cases.moved.value, value);
check("the error follows it", near(numberIn(await read("plane"), "Error rate"), cases.moved.error), await read("plane"));
await page.waitForTimeout(1500);
const heard = await page.locator("#play-plane [role=status]").innerText();
check("what changed is said once the slider rests", heard === (await read("plane")), heard);
await press("plane", "In standard form");
const reach = Number(await page.locator("#play-plane input").last().inputValue());
const largest = await page.evaluate(() => globalThis.algzoo.play.data.plane.presets["standard form"].w_oh[1][1]);
check("sliders reach the weights", Math.abs(reach - largest) < 0.1, [reach, largest]);
check("the standard form errs alike", near(numberIn(await read("plane"), "Error rate"), trained), await read("plane"));
await press("plane", "Handcrafted");
check("the handcrafted network is right", (await read("plane")).startsWith("Error rate 0, accuracy 100"), await read("plane"));
await press("plane", "Reset: as trained");
check("reset", numberIn(await read("plane"), "Error rate") === trained);

await press("family", "ARC’s handcrafted network, λ = 100");
const shareAt = (lam) => page.evaluate((error) => globalThis.algzoo.play.share(error), cases.family[lam]);
const family = async () => (await read("family")).match(/the error rate is (.*?)\.(?: |$)/)[1];
check("the family at 100", (await family()) === (await shareAt("100.0")), await family());
await page.locator("#play-family input").focus();
await page.keyboard.press("Home");
check("the family at 0.1", (await family()) === (await shareAt("0.1")), await family());

await press("steps", "End");
const steps = await page.evaluate(() => globalThis.algzoo.play.data.steps);
const answer = await page.evaluate(
  ({ weights, inputs }) => globalThis.algzoo.network.answer(globalThis.algzoo.network.outputs(weights, inputs)),
  steps,
);
check("the answer of M16,10", (await read("steps")).includes(`answers ${answer},`), await read("steps"));
await press("steps", "Step back");
check("a step back", (await page.locator("#play-steps output").innerText()) === "9 of 10");
await press("steps", "The next random inputs that it gets wrong");
check("a wrong answer is found", (await read("steps")).endsWith("which is wrong."), await read("steps"));
await page.getByLabel("input 3", { exact: true }).fill("9.5");
check("inputs can be typed", (await read("steps")).includes("largest so far is input 3 (9.50)"), await read("steps"));

const frame = () => page.locator("#play-lambda-film input").inputValue();
check("no film plays by itself", (await frame()) === "11", await frame());
await press("lambda-film", "Play");
await page.waitForTimeout(2200);
await press("lambda-film", "Pause");
const paused = await frame();
check("the film plays", ["1", "2", "3"].includes(paused), paused);
await page.waitForTimeout(1200);
check("and stops", (await frame()) === paused, await frame());
await page.locator("#play-valley-film").getByLabel("0", { exact: true }).check();
check("a run that is not stuck", (await read("valley-film")).includes("not stuck"), await read("valley-film"));

// ---- without motion, on paper, without scripts ---------------------------------------------
const calm = await open({ reducedMotion: "reduce" });
check("no film where motion is reduced", !(await calm.getByRole("button", { name: "Play", exact: true }).count()));
await calm.emulateMedia({ media: "print" });
const shown = (selector, on) => on.locator(selector).evaluateAll((all) => all.map((one) => one.checkVisibility()));
check("paper has the pictures", (await shown(".play-still", calm)).every(Boolean));
check("and no sliders", !(await shown(".play", calm)).some(Boolean));
const bare = await open({ javaScriptEnabled: false });
check("without scripts the pictures are there", await bare.locator(".play-still").first().isVisible());
check("and no sliders either", !(await bare.locator(".play").first().isVisible()));
await browser.close();

console.log(`${n_checks} checks, ${n_failed} failed`);
process.exitCode = n_failed ? 1 : 0;
record("make play", { checks: n_checks, failed: n_failed });
