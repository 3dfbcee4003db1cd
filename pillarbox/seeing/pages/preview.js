"use strict";
// The letter stands in frames that run no script (sandbox without allow-scripts); this script, which is not theirs,
// measures them and dresses each letter for the way in which it is to be seen.
const look = JSON.parse(document.getElementById("look").textContent);
const WIDTH = { desktop: 720, phone: 375 };
const POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src https: http: data:; font-src https: data:";
const NOWHERE = "data:,";
const LEVELS = ["error", "warning", "advice"];
const CLIPPED = 102400;
const chosen = { person: 1, view: "both", scheme: "light", images: "on", styles: "on" };
const copies = look.copies || [];
const $ = (id) => document.getElementById(id);

function make(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children.filter((child) => child !== null && child !== undefined && child !== ""));
  return made;
}

// ---------------------------------------------------------------------------- a letter, as it would be seen

function dressed(html, how) {
  let letter = html;
  const dark = how.scheme === "dark";
  // A frame cannot choose its colour scheme: the question is answered in the letter's own style sheet.
  letter = letter.replace(/\(\s*prefers-color-scheme\s*:\s*(dark|light)\s*\)/gi, (_, asked) =>
    (asked.toLowerCase() === "dark") === dark ? "(min-width:0px)" : "(min-width:99999px)");
  if (how.styles === "off") {
    letter = letter.replace(/(<!--\[if[\s\S]*?<!\[endif\]-->)|<style\b[\s\S]*?<\/style\s*>/gi, (_, kept) => kept || "");
  }
  if (how.images === "off") {
    letter = letter.replace(/(<img\b[^>]*?\ssrc\s*=\s*)("[^"]*"|'[^']*'|[^\s>]+)/gi, `$1"${NOWHERE}"`)
      .replace(/(<img\b[^>]*?)\ssrcset\s*=\s*("[^"]*"|'[^']*')/gi, "$1")
      .replace(/(<[^>]*?\sbackground\s*=\s*)("[^"]*"|'[^']*')/gi, `$1"${NOWHERE}"`)
      .replace(/url\(\s*(?:"[^"]*"|'[^']*'|&quot;.*?&quot;|[^)]*)\s*\)/gi, `url(${NOWHERE})`);
  }
  for (const [address, data] of Object.entries(look.images)) letter = letter.replaceAll(address, data);
  const knowsDark = /color-scheme|prefers-color-scheme/i.test(html);
  const ours = [`:root{color-scheme:${dark && knowsDark ? "dark" : "only light"}}`];
  if (how.scheme === "inverted") {
    ours.push("html{background:#fff;filter:invert(1) hue-rotate(180deg)}img{filter:invert(1) hue-rotate(180deg)}");
  }
  const head = `<meta http-equiv="Content-Security-Policy" content="${POLICY}"><base target="_blank">` +
    `<style>${ours.join("")}</style>`;
  const place = letter.match(/<head\b[^>]*>/i) || letter.match(/<html\b[^>]*>/i) || letter.match(/^\s*<!doctype[^>]*>/i);
  const at = place ? place.index + place[0].length : 0;
  return letter.slice(0, at) + head + letter.slice(at);
}

function frameOf(html, width, how, ready) {
  const frame = make("iframe", { sandbox: "allow-same-origin", tabindex: "-1", title: `The letter, ${words(width, how)}` });
  frame.style.width = `${width}px`;
  frame.style.height = "200px";
  frame.addEventListener("load", () => {
    const root = frame.contentDocument && frame.contentDocument.documentElement;
    const height = root ? Math.max(root.scrollHeight, frame.contentDocument.body.scrollHeight) : 900;
    frame.style.height = `${height}px`;
    ready(height);
  });
  frame.srcdoc = dressed(html, how);
  return frame;
}

function words(width, how) {
  const parts = [width === WIDTH.phone ? "Phone" : "Desktop", `${width} px`];
  parts.push({ light: "light", dark: "dark", inverted: "colours forced to invert" }[how.scheme]);
  if (how.images === "off") parts.push("images off");
  if (how.styles === "off") parts.push("style sheets stripped");
  return parts.join(" · ");
}

// The new letter is drawn behind the old one and takes its place when it is ready: nothing flickers, nothing jumps.
function screen(html, device, how, most, scale, drawn) {
  const width = WIDTH[device];
  const glass = make("div", { class: "glass" });
  const figure = make("figure", { class: device }, make("figcaption", {}, words(width, how)), glass);
  fill(glass, html, width, how, Math.min(scale, most / width), drawn);
  return figure;
}

function fill(glass, html, width, how, scale, drawn) {
  const frame = frameOf(html, width, how, (height) => {
    frame.style.visibility = "visible";
    glass.style.width = `${Math.floor(width * scale)}px`;
    glass.style.height = `${Math.ceil(height * scale)}px`;
    for (const old of [...glass.children]) if (old !== frame) old.remove();
    drawn();
  });
  if (!glass.style.width) {
    glass.style.width = `${Math.floor(width * scale)}px`;
    glass.style.height = "420px";
  }
  frame.style.transform = `scale(${scale})`;
  frame.style.visibility = "hidden";
  glass.append(frame);
}

// ---------------------------------------------------------------------------- the stage

const VIEWS = {
  both: () => [["desktop", {}], ["phone", {}]],
  desktop: () => [["desktop", {}]],
  phone: () => [["phone", {}]],
  wall: () => [["desktop", { scheme: "light" }], ["desktop", { scheme: "dark" }], ["desktop", { scheme: "inverted" }],
    ["phone", { scheme: "light" }], ["phone", { scheme: "dark" }], ["phone", { scheme: "inverted" }],
    ["phone", { images: "off" }], ["phone", { styles: "off" }]],
};
let standing = "";

function stage() {
  const box = $("stage");
  const copy = copies[chosen.person - 1];
  if (!copy) {
    if (!box.children.length || box.querySelector(".empty")) {
      box.replaceChildren(look.faults.length ? empty("Nothing to see yet", "The letter has a fault, which is told beside. "
        + "Mend it, and it is shown here.") : empty("One moment", "The letter is being composed."));
    }
    return;
  }
  box.classList.remove("stale");
  $("notice").textContent = "";
  if (copy.fault) {
    standing = "";
    box.replaceChildren(empty("This copy cannot be composed", `${copy.fault.message} (${place(copy.fault)})`));
    drawnAll(copy.version);
    return;
  }
  if (chosen.view === "text" || chosen.view === "source") {
    standing = "";
    const sheet = make("pre", { class: `sheet ${chosen.view}`, tabindex: "0", dir: "auto" });
    chosen.view === "text" ? sheet.append(copy.text) : coloured(sheet, copy.html);
    box.replaceChildren(sheet);
    drawnAll(copy.version);
    return;
  }
  const wall = chosen.view === "wall";
  const base = wall ? { scheme: "light", images: "on", styles: "on" } : chosen;
  const screens = VIEWS[chosen.view]().map(([device, how]) => [device, { ...base, ...how }]);
  const most = box.clientWidth - 24;
  // Beside one another as long as both can still be read.
  const both = most / (screens.reduce((sum, [device]) => sum + WIDTH[device], 0) + 40 * (screens.length - 1));
  const scale = wall ? Math.max(0.3, (most - 52) / 3 / WIDTH.desktop) : both > 0.62 ? Math.min(1, both) : 1;
  let left = screens.length;
  const drawn = () => { left -= 1; if (!left) drawnAll(copy.version); };
  const plan = JSON.stringify([screens.map(([device, how]) => words(WIDTH[device], how)), most]);
  if (plan === standing) {  // the same screens, another letter
    screens.forEach(([device, how], number) => fill(box.children[number].lastChild, copy.html, WIDTH[device], how,
      Math.min(scale, most / WIDTH[device]), drawn));
    return;
  }
  standing = plan;
  box.replaceChildren(...screens.map(([device, how]) => screen(copy.html, device, how, most, scale, drawn)));
}

function drawnAll(version) {
  document.documentElement.dataset.drawn = version === undefined ? look.version : version;
}

function empty(title, sentence) {
  return make("p", { class: "empty" }, make("b", {}, title), sentence);
}

function coloured(sheet, source) {
  for (const part of source.split(/(<!--[\s\S]*?-->|<[^>]*>)/)) {
    if (part.startsWith("<!--")) sheet.append(make("span", { class: "note" }, part));
    else if (part.startsWith("<")) sheet.append(make("span", { class: "tag" }, part));
    else if (part) sheet.append(part);
  }
}

// ---------------------------------------------------------------------------- beside it

function inbox() {
  const copy = copies[chosen.person - 1];
  if (!copy || copy.fault) { $("inbox").replaceChildren(make("p", { class: "quiet" }, "Nothing to show.")); return; }
  const first = copy.text.trim().split(/\n\s*\n/).slice(0, 3).join(" ").replace(/\s+/g, " ");
  const after = copy.preheader || first;
  const size = new TextEncoder().encode(copy.html).length;
  const facts = make("p", { class: "facts" }, copy.preheader ? "" : "No preheader: inboxes show the first words. ",
    `Subject ${[...copy.subject].length} characters. `);
  facts.append(make("span", { class: size > CLIPPED ? "over" : "" }, `HTML ${(size / 1024).toFixed(0)} KB of 100.`));
  $("inbox").replaceChildren(
    make("div", { class: "row" },
      make("span", { class: "face", "aria-hidden": "true" }, [...look.sender.name][0].toUpperCase()),
      make("p", { class: "from" }, make("span", {}, look.sender.name), make("time", {}, "09:00")),
      make("p", { class: "subject", dir: "auto" }, copy.subject),
      make("p", { class: "after", dir: "auto" }, after)),
    make("p", { class: "line", dir: "auto" }, make("b", {}, copy.subject), after ? ` – ${after}` : ""), facts);
}

let listed = "";

function people() {
  const now = JSON.stringify([look.people, copies.map((copy) => Boolean(copy && copy.fault))]);
  if (now === listed) return;  // who has the focus keeps it
  listed = now;
  $("people").replaceChildren(...look.people.map((person, index) => {
    const input = make("input", { type: "radio", name: "person", value: index + 1 });
    input.checked = index + 1 === chosen.person;
    input.addEventListener("change", () => { chosen.person = index + 1; show(); });
    const bad = copies[index] && copies[index].fault;
    return make("label", { class: "who" }, input, make("span", {}, make("bdi", {}, person.who),
      make("small", { class: bad ? "bad" : "" }, bad ? `cannot be composed · ${person.note}` : person.note)));
  }));
}

function place(finding) {
  return finding.line ? `${finding.file}:${finding.line}` : finding.file;
}

function findings() {
  const told = look.faults.length ? look.faults : look.findings;
  const found = told && [...told].sort((one, other) => LEVELS.indexOf(one.level) - LEVELS.indexOf(other.level));
  if (!found) {
    $("tally").textContent = "";
    $("findings").replaceChildren(make("p", { class: "quiet" }, "Looking …"));
    return;
  }
  const counts = LEVELS.map((level) => [found.filter((each) => each.level === level).length, level]).filter(([n]) => n);
  $("tally").textContent = counts.map(([n, level]) => `· ${n} ${level}${n > 1 && level !== "advice" ? "s" : ""}`).join(" ");
  $("findings").replaceChildren(...(found.length ? found.map((each) => make("li", { class: each.level },
    make("p", { class: "head" }, make("b", {}, each.level), make("span", { class: "place" }, place(each))),
    make("p", {}, each.message))) : [make("p", { class: "quiet" }, look.kind === "service"
    ? "Service letters are not checked." : "Nothing: it can be planned.")]));
}

function tools() {
  const groups = [
    ["view", "What to see", { both: "Side by side", desktop: "Desktop", phone: "Phone", wall: "Wall", text: "Plain text", source: "Source" }],
    ["scheme", "Colours", { light: "Light", dark: "Dark", inverted: "Inverted" }],
  ];
  const switches = [["images", "No images"], ["styles", "No styles"]];
  $("tools").replaceChildren(...groups.map(([name, legend, choices]) => make("fieldset", { "data-group": name },
    make("legend", {}, legend), ...Object.entries(choices).map(([value, label]) => {
      const input = make("input", { type: "radio", name, value });
      input.checked = chosen[name] === value;
      input.addEventListener("change", () => { chosen[name] = value; show(); });
      return make("label", {}, input, make("span", {}, label));
    }))), make("fieldset", { "data-group": "without" }, make("legend", {}, "Without"), ...switches.map(([name, label]) => {
    const input = make("input", { type: "checkbox", name });
    input.addEventListener("change", () => { chosen[name] = input.checked ? "off" : "on"; show(); });
    return make("label", {}, input, make("span", {}, label));
  })));
}

function heading() {
  $("title").textContent = look.title;
  document.title = `${look.title} · preview`;
  const kind = { appeal: "Appeal", newsletter: "Newsletter", message: "Message", service: "Service letter" }[look.kind];
  $("what").textContent = [kind, look.slug, look.made_up ? "read by made-up supporters" : "holds supporters’ own data"]
    .filter(Boolean).join(" · ");
}

function state(words, kind) {
  $("state").textContent = words;
  $("state").className = `state ${kind}`;
}

// ---------------------------------------------------------------------------- all of it, and again

function show() {
  const fixed = !VIEWS[chosen.view] || chosen.view === "wall";
  for (const name of ["scheme", "images", "styles"]) {
    for (const input of document.getElementsByName(name)) input.disabled = fixed;
  }
  if (look.live && !copies[chosen.person - 1] && look.people.length && !look.faults.length) fetchCopy(chosen.person);
  stage();
  inbox();
}

async function ask(path) {
  const answer = await fetch(look.live + path, { cache: "no-store" });
  if (!answer.ok) throw new Error(String(answer.status));
  return answer.json();
}

const asked = new Map();

async function fetchCopy(number) {
  const key = `${look.version}/${number}`;
  if (asked.has(key)) return asked.get(key);
  const coming = ask(`copy/${number}`).then((copy) => {
    if (copy.version < look.version) return;
    copies[number - 1] = copy;
    people();
    if (number === chosen.person) { stage(); inbox(); }
  }).catch(() => asked.delete(key));
  asked.set(key, coming);
  return coming;
}

async function rest(version) {
  for (let number = 1; number <= look.people.length && version === look.version; number += 1) await fetchCopy(number);
  if (version !== look.version) return;
  const told = await ask("findings");
  if (told.version !== look.version) return;
  look.findings = told.findings;
  findings();
}

async function changed(frame) {
  if (frame.version <= look.version) return;
  const faulty = look.faults.length > 0;
  Object.assign(look, frame);
  if (faulty) look.findings = null;
  asked.clear();
  heading();
  if (look.faults.length) {
    $("notice").textContent = "The letter has a fault, told beside; here it is as it was before.";
    $("stage").classList.add("stale");
    if (!copies.length) { $("notice").textContent = ""; stage(); }
    findings();
    return;
  }
  if (!look.findings) findings();
  chosen.person = Math.min(chosen.person, look.people.length) || 1;
  await fetchCopy(chosen.person);
  people();
  rest(look.version).catch(() => {});
}

function watch() {
  const heard = new EventSource(`${look.live}events`);
  heard.addEventListener("open", () => state("Watching for changes", "watching"));
  heard.addEventListener("error", () => state("Preview has ended", "away"));
  heard.addEventListener("look", (event) => changed(JSON.parse(event.data)));
}

// Some screens and nothing else, from left to right, for pictures: #pictures=PERSON.DEVICE.SCHEME.IMAGES.STYLES+…
function pictures(asked) {
  const heights = [];
  let left = 0;
  document.body.className = "bare";
  document.body.replaceChildren(...asked.map((one, index) => {
    const [person, device, scheme, images, styles] = one.split(".");
    const frame = frameOf(copies[Number(person) - 1].html, WIDTH[device], { scheme, images, styles }, (height) => {
      heights[index] = height;
      if (Object.keys(heights).length === asked.length) document.documentElement.dataset.heights = heights.join(" ");
    });
    frame.style.position = "absolute";
    frame.style.top = "0";
    frame.style.left = `${left}px`;
    left += WIDTH[device];
    return frame;
  }));
}

if (location.hash.startsWith("#pictures=")) {
  pictures(location.hash.slice("#pictures=".length).split("+"));
} else {
  if (window.matchMedia("(max-width: 940px)").matches) chosen.view = "phone";
  heading();
  tools();
  people();
  findings();
  show();
  if (look.live) {
    watch();
    rest(look.version).catch(() => {});
  } else {
    state("Written to a file", "file");
  }
  let waiting;
  window.addEventListener("resize", () => { clearTimeout(waiting); waiting = setTimeout(stage, 120); });
}
