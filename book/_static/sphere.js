// The sphere of decisions: draws the areas that algzoo/chapters/sphere_view.py computed.
// Orthographic projection on a canvas; no library, nothing is loaded.
(function () {
  "use strict";
  const figure = document.getElementById("sphere");
  const source = document.getElementById("sphere-data");
  if (!figure || !source) return;
  const canvas = figure.querySelector("canvas");
  const pen = canvas.getContext("2d");
  if (!pen) return;
  const reading = document.getElementById("sphere-reading");
  const { colours, frame: START, labels, cones } = JSON.parse(source.textContent);

  const MAX_ZOOM = 24;
  const WIDTH_SHOWN = 0.045; // of the sphere's radius: how wide a region is made to look
  const KEY_TURN = Math.PI / 36; // radians
  const ARC_STEP = 0.06; // radians: the longest chord that is drawn for an arc at zoom 1
  const SAME = 1e-5; // inputs closer than that are called equal: the drawing has six decimals
  const SUBSCRIPTS = ["₀", "₁", "₂"];
  const calm = window.matchMedia("(prefers-reduced-motion: reduce)");

  // ---- vectors and turns -------------------------------------------------------------------
  const dot = (u, v) => u[0] * v[0] + u[1] * v[1] + u[2] * v[2];
  const scale = (u, s) => u.map((x) => x * s);
  const unit = (u) => scale(u, 1 / Math.hypot(...u));
  const cross = (u, v) => [
    u[1] * v[2] - u[2] * v[1],
    u[2] * v[0] - u[0] * v[2],
    u[0] * v[1] - u[1] * v[0],
  ];
  const apply = (rows, v) => rows.map((row) => dot(row, v));

  // A frame's rows are the inputs that lie to the right, upward and towards the viewer.
  function straightened(rows) {
    const toward = unit(rows[2]);
    const right = unit(cross(rows[1], toward));
    return [right, cross(toward, right), toward];
  }

  // The frame with its own axes turned about an axis given in it (right, up, toward).
  function turned(rows, axis, angle) {
    const [x, y, z] = axis;
    const [c, s] = [Math.cos(angle), Math.sin(angle)];
    const d = 1 - c;
    const turn = [
      [c + x * x * d, x * y * d - z * s, x * z * d + y * s],
      [y * x * d + z * s, c + y * y * d, y * z * d - x * s],
      [z * x * d - y * s, z * y * d + x * s, c + z * z * d],
    ];
    const of = (i) => [0, 1, 2].map((j) => dot(turn[i], [rows[0][j], rows[1][j], rows[2][j]]));
    return straightened([of(0), of(1), of(2)]);
  }

  // The axis and the angle of the turn that brings one frame to another.
  function between(from, to) {
    const turn = to.map((row) => from.map((other) => dot(row, other)));
    const cosine = (turn[0][0] + turn[1][1] + turn[2][2] - 1) / 2;
    const angle = Math.acos(Math.min(1, Math.max(-1, cosine)));
    const axis = [turn[2][1] - turn[1][2], turn[0][2] - turn[2][0], turn[1][0] - turn[0][1]];
    const length = Math.hypot(...axis);
    return { axis: length > 1e-9 ? scale(axis, 1 / length) : [0, 1, 0], angle };
  }

  function lookingAt(rows, direction) {
    const [right, up, toward] = apply(rows, unit(direction));
    const sine = Math.hypot(right, up);
    if (sine < 1e-9 && toward > 0) return rows;
    const axis = sine < 1e-9 ? [0, 1, 0] : [up / sine, -right / sine, 0];
    return turned(rows, axis, Math.atan2(sine, toward));
  }

  // ---- what is shown -----------------------------------------------------------------------
  const areas = cones.map(([answer, right, tie, ...flat]) => {
    const rays = [];
    for (let i = 0; i < flat.length; i += 3) rays.push(flat.slice(i, i + 3));
    const normals = rays.map((ray, i) => cross(ray, rays[(i + 1) % rays.length]));
    return { answer, right, tie: tie === 1, rays, normals };
  });
  const places = labels.map(([answer, ...point]) => ({ answer, point }));
  let view = straightened(START);
  let zoom = 1;
  let layer = "model";
  let target = null; // the region that was asked for: its direction
  let size = 0; // CSS pixels
  let pending = 0;
  let moving = 0;

  const radius = () => 0.46 * size * zoom;
  const centre = () => size / 2;
  const onScreen = ([x, y]) => [centre() + radius() * x, centre() - radius() * y];

  // The corners of the part of a convex polygon that faces the viewer, in the frame.
  function facing(rays) {
    const seen = rays.map((ray) => apply(view, ray));
    const kept = [];
    seen.forEach((here, i) => {
      const there = seen[(i + 1) % seen.length];
      if (here[2] >= 0) kept.push(here);
      if (here[2] * there[2] < 0) {
        const mix = here.map((x, k) => x * Math.abs(there[2]) + there[k] * Math.abs(here[2]));
        kept.push(unit([mix[0], mix[1], 0]));
      }
    });
    return kept;
  }

  function arcTo(path, from, to) {
    const angle = Math.atan2(Math.hypot(...cross(from, to)), dot(from, to));
    const n = Math.max(1, Math.ceil((angle / ARC_STEP) * Math.sqrt(zoom)));
    for (let k = 1; k <= n; k += 1) {
      const [a, b] = n > 1
        ? [Math.sin((1 - k / n) * angle) / Math.sin(angle), Math.sin((k / n) * angle) / Math.sin(angle)]
        : [0, 1];
      path.lineTo(...onScreen([a * from[0] + b * to[0], a * from[1] + b * to[1]]));
    }
  }

  function outlines(chosen) {
    const path = new Path2D();
    for (const area of chosen) {
      const corners = facing(area.rays);
      if (corners.length < 3) continue;
      path.moveTo(...onScreen(corners[0]));
      corners.forEach((corner, i) => arcTo(path, corner, corners[(i + 1) % corners.length]));
      path.closePath();
    }
    return path;
  }

  function hatching(pixels) {
    const tile = document.createElement("canvas");
    tile.width = tile.height = 6 * pixels;
    const brush = tile.getContext("2d");
    brush.scale(pixels, pixels);
    brush.strokeStyle = colours.error;
    brush.lineWidth = 1.6;
    brush.beginPath();
    for (const shift of [-6, 0, 6]) {
      brush.moveTo(shift - 1, 7);
      brush.lineTo(shift + 7, -1);
    }
    brush.stroke();
    const pattern = pen.createPattern(tile, "repeat");
    pattern.setTransform(new DOMMatrix().scale(1 / pixels));
    return pattern;
  }

  function colourOf(area) {
    if (layer === "errors") return "#f4f4f4";
    if (layer === "model" && area.tie) return colours.tie;
    return colours.answers[layer === "model" ? area.answer : area.right];
  }

  function draw() {
    pending = 0;
    const pixels = Math.max(1, window.devicePixelRatio || 1);
    if (canvas.width !== Math.round(size * pixels)) {
      canvas.width = canvas.height = Math.round(size * pixels);
    }
    pen.setTransform(pixels, 0, 0, pixels, 0, 0);
    pen.fillStyle = "#ffffff";
    pen.fillRect(0, 0, size, size);
    pen.lineJoin = "round";

    const ofColour = new Map();
    for (const area of areas) {
      const colour = colourOf(area);
      ofColour.set(colour, [...(ofColour.get(colour) || []), area]);
    }
    for (const [colour, chosen] of ofColour) {
      const path = outlines(chosen);
      pen.fillStyle = pen.strokeStyle = colour;
      pen.lineWidth = 0.8; // covers the seams between areas
      pen.fill(path);
      pen.stroke(path);
    }
    shade();
    if (layer !== "right") {
      const path = outlines(areas.filter((area) => area.answer !== area.right));
      pen.fillStyle = layer === "errors" ? colours.error : hatching(pixels);
      pen.strokeStyle = colours.error;
      pen.lineWidth = 0.8;
      pen.fill(path);
      pen.stroke(path);
    }
    equalInputs();
    rim();
    names();
    cursor();
  }

  function shade() {
    const [x, y, r] = [centre(), centre(), radius()];
    const light = pen.createRadialGradient(x, y, 0.6 * r, x, y, r);
    light.addColorStop(0, "rgba(0, 0, 0, 0)");
    light.addColorStop(1, "rgba(0, 0, 0, 0.14)");
    pen.fillStyle = light;
    pen.beginPath();
    pen.arc(x, y, r, 0, 2 * Math.PI);
    pen.fill();
  }

  function rim() {
    pen.strokeStyle = colours.ink;
    pen.lineWidth = 1;
    pen.beginPath();
    pen.arc(centre(), centre(), radius(), 0, 2 * Math.PI);
    pen.stroke();
  }

  function equalInputs() {
    pen.strokeStyle = colours.ink;
    pen.lineWidth = 0.9;
    pen.setLineDash([5, 4]);
    for (const normal of [[1, -1, 0], [0, 1, -1], [1, 0, -1]]) {
      const across = unit(cross(normal, [1, 1, 1]));
      const along = unit([1, 1, 1]);
      pen.beginPath();
      let down = false;
      const n = Math.ceil(120 * Math.sqrt(zoom));
      for (let k = 0; k <= n; k += 1) {
        const t = (2 * Math.PI * k) / n;
        const point = apply(view, along.map((x, i) => x * Math.cos(t) + across[i] * Math.sin(t)));
        if (point[2] >= 0) pen[down ? "lineTo" : "moveTo"](...onScreen(point));
        down = point[2] >= 0;
      }
      pen.stroke();
    }
    pen.setLineDash([]);
  }

  function write(text, point, bold) {
    const [x, y] = onScreen(point);
    pen.font = `${bold ? "bold " : ""}${Math.max(13, size / 32)}px "DejaVu Sans", Helvetica, Arial, sans-serif`;
    pen.textAlign = "center";
    pen.textBaseline = "middle";
    pen.strokeStyle = "rgba(255, 255, 255, 0.75)";
    pen.lineWidth = 3;
    pen.strokeText(text, x, y);
    pen.fillStyle = colours.ink;
    pen.fillText(text, x, y);
  }

  function names() {
    for (const { answer, point } of layer === "errors" ? [] : places) {
      const seen = apply(view, point);
      if (seen[2] > 0.25) write(String(answer), seen, false);
    }
    for (let i = 0; i < 3; i += 1) {
      for (const sign of [1, -1]) {
        const tip = [0, 0, 0];
        tip[i] = sign;
        const seen = apply(view, tip);
        if (seen[2] > 0.1) write(`${sign > 0 ? "+" : "−"}x${SUBSCRIPTS[i]}`, seen, true);
      }
    }
  }

  function cursor() {
    pen.strokeStyle = colours.ink;
    pen.lineWidth = 1;
    pen.beginPath();
    for (const [x, y] of [[1, 0], [-1, 0], [0, 1], [0, -1]]) {
      pen.moveTo(centre() + 4 * x, centre() + 4 * y);
      pen.lineTo(centre() + 11 * x, centre() + 11 * y);
    }
    pen.stroke();
    if (!target) return;
    const seen = apply(view, target);
    if (seen[2] < 0) return;
    pen.lineWidth = 2;
    pen.beginPath();
    pen.arc(...onScreen(seen), 24, 0, 2 * Math.PI);
    pen.stroke();
  }

  // ---- in words ----------------------------------------------------------------------------
  function inWords() {
    const x = view[2];
    const area = areas.find(({ normals }) => normals.every((normal) => dot(normal, x) >= -1e-9));
    if (!area) return "";
    const numbers = x.map((value) => (Math.round(value * 100) / 100 + 0).toFixed(2)).join(", ");
    const input = `In the middle: input (${numbers.replace(/-/g, "−")})`;
    const order = [0, 1, 2].sort((i, j) => x[i] - x[j]);
    const names = order.map((i) => `x${SUBSCRIPTS[i]}`);
    const gaps = [x[order[1]] - x[order[0]], x[order[2]] - x[order[1]]];
    if (Math.min(...gaps) < SAME) {
      const equal = gaps.map((gap) => (gap < SAME ? " = " : " < "));
      return `${input}, ${names[0]}${equal[0]}${names[1]}${equal[1]}${names[2]}, where right answers meet.`;
    }
    const verdict = area.answer === area.right ? "" : ", which is wrong";
    const tie = area.tie ? " because all logits tie" : "";
    return (
      `${input}, ${names.join(" < ")}; ` +
      `the right answer is ${area.right}, the model answers ${area.answer}${tie}${verdict}.`
    );
  }

  let speaking = 0;
  function changed() {
    if (!pending) pending = window.requestAnimationFrame(draw);
    window.clearTimeout(speaking);
    speaking = window.setTimeout(() => {
      reading.textContent = inWords();
    }, 150);
  }

  // ---- moving ------------------------------------------------------------------------------
  function setZoom(value) {
    zoom = Math.min(MAX_ZOOM, Math.max(1, value));
    changed();
  }

  function goTo(newView, newZoom) {
    window.cancelAnimationFrame(moving);
    const [oldView, oldZoom, { axis, angle }] = [view, zoom, between(view, newView)];
    const finish = Math.min(MAX_ZOOM, Math.max(1, newZoom));
    const began = performance.now();
    const duration = calm.matches ? 0 : 500; // milliseconds
    function step(now) {
      const time = duration ? Math.min(1, Math.max(0, (now - began) / duration)) : 1;
      const share = time * time * (3 - 2 * time);
      view = time < 1 ? turned(oldView, axis, share * angle) : newView;
      zoom = oldZoom * (finish / oldZoom) ** share;
      changed();
      if (time < 1) moving = window.requestAnimationFrame(step);
    }
    step(began);
  }

  function turnBy(down, right, angle) {
    window.cancelAnimationFrame(moving);
    const length = Math.hypot(down, right);
    if (length) view = turned(view, [down / length, right / length, 0], angle * length);
    changed();
  }

  function reset() {
    target = null;
    goTo(straightened(START), 1);
  }

  figure.querySelectorAll("input[name=sphere-layer]").forEach((input) => {
    input.addEventListener("change", () => {
      layer = input.value;
      changed();
    });
    if (input.checked) layer = input.value;
  });
  figure.querySelectorAll("[data-turn]").forEach((button) => {
    const [down, right] = button.dataset.turn.split(" ").map(Number);
    button.addEventListener("click", () => turnBy(down, right, (3 * KEY_TURN) / Math.sqrt(zoom)));
  });
  figure.querySelectorAll("[data-zoom]").forEach((button) => {
    button.addEventListener("click", () => setZoom(zoom * Number(button.dataset.zoom)));
  });
  figure.querySelector("[data-reset]").addEventListener("click", reset);

  const KEYS = {
    ArrowLeft: () => turnBy(0, -1, KEY_TURN / zoom),
    ArrowRight: () => turnBy(0, 1, KEY_TURN / zoom),
    ArrowUp: () => turnBy(-1, 0, KEY_TURN / zoom),
    ArrowDown: () => turnBy(1, 0, KEY_TURN / zoom),
    "+": () => setZoom(zoom * 1.25),
    "=": () => setZoom(zoom * 1.25),
    "-": () => setZoom(zoom / 1.25),
    Home: reset,
  };
  canvas.addEventListener("keydown", (event) => {
    const act = KEYS[event.key];
    if (!act || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    event.stopPropagation();
    act();
  });

  // One pointer turns, two magnify; a pointer that hardly moved was a click.
  const pointers = new Map();
  let travelled = 0;
  let spread = 0;
  const place = (event) => [event.offsetX, event.offsetY];
  const spreadNow = () => {
    const [p, q] = [...pointers.values()];
    return Math.hypot(p[0] - q[0], p[1] - q[1]);
  };
  canvas.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    canvas.setPointerCapture(event.pointerId);
    if (!pointers.size) travelled = 0;
    pointers.set(event.pointerId, place(event));
    if (pointers.size === 2) spread = spreadNow();
  });
  canvas.addEventListener("pointermove", (event) => {
    const before = pointers.get(event.pointerId);
    if (!before) return;
    const now = place(event);
    pointers.set(event.pointerId, now);
    const [right, down] = [now[0] - before[0], now[1] - before[1]];
    travelled += Math.abs(right) + Math.abs(down);
    if (pointers.size === 1) {
      turnBy(down, right, 1 / radius());
    } else if (pointers.size === 2) {
      travelled = Infinity;
      const wide = spreadNow();
      setZoom((zoom * wide) / spread);
      spread = wide;
    }
  });
  function release(event) {
    const was = pointers.get(event.pointerId);
    pointers.delete(event.pointerId);
    if (!was || event.type !== "pointerup" || travelled > 4) return;
    const [x, y] = [(was[0] - centre()) / radius(), (centre() - was[1]) / radius()];
    const depth = 1 - x * x - y * y;
    if (depth <= 0) return;
    const point = [x, y, Math.sqrt(depth)];
    const input = [0, 1, 2].map((j) => dot(point, view.map((row) => row[j])));
    goTo(lookingAt(view, input), zoom);
  }
  canvas.addEventListener("pointerup", release);
  canvas.addEventListener("pointercancel", release);

  // ---- the table's numbers become buttons --------------------------------------------------
  document.querySelectorAll("#sphere-errors tr[data-direction]").forEach((row) => {
    const heading = row.querySelector("th");
    const button = document.createElement("button");
    button.type = "button";
    button.className = "sphere-show";
    button.textContent = heading.textContent;
    button.setAttribute("aria-label", `Show region ${heading.textContent}`);
    button.addEventListener("click", () => {
      target = row.dataset.direction.split(" ").map(Number);
      if (layer === "right") figure.querySelector("input[value=model]").click();
      canvas.scrollIntoView({ block: "nearest", behavior: calm.matches ? "auto" : "smooth" });
      goTo(lookingAt(view, target), WIDTH_SHOWN / Number(row.dataset.width));
    });
    heading.replaceChildren(button);
  });

  figure.hidden = false;
  new ResizeObserver(() => {
    size = canvas.clientWidth;
    changed();
  }).observe(canvas);
})();
