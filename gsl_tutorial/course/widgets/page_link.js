// A widget's whole state as a short text: "Copy link", the address of the page, presets, hide= for lecturers.
// The text is explained in links.py, which is the reference. A widget has all of this when it gives
// `mountWidget` its `kind`, and `extra` for what is no trait: name -> {get, set}.
const links = (() => {
  const VERSION = 1;
  const LONGEST = 100_000; // characters: more rows than that are no picture, and would take minutes to draw
  const NAMED = new Map([["-", null], ["true", true], ["false", false]]);
  const NUMBER = /^-?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?$/i;
  const words = WORDS.link;
  const refuse = (...parts) => { throw new Error(complain(...parts)); };

  function written(value) {
    if (Array.isArray(value)) {
      if (!value.length) return ";";
      return Array.isArray(value[0]) ? value.map((row) => `${row.map(written)};`).join("") : value.map((one) => `${written(one)},`).join("");
    }
    return value === null || value === undefined ? "-" : encodeURIComponent(value);
  }

  function numbers(texts) {
    const wrong = texts.find((text) => !NUMBER.test(text));
    return wrong === undefined ? texts.map(Number) : refuse(words.a_number, quoted(wrong), words.copy_again);
  }

  function valueOf(text) {
    if (text === ";") return [];
    if (text.includes(";")) return text.split(";").slice(0, -1).map((row) => numbers(row.split(",")));
    if (text.includes(",")) return numbers(text.split(",").slice(0, -1));
    if (NUMBER.test(text)) return Number(text);
    return NAMED.has(text) ? NAMED.get(text) : text;
  }

  function write(kind, values, hide = [], place = 1) {
    const parts = Object.entries(values).map(([name, value]) => `${name}=${written(value)}`);
    if (hide.length) parts.push(`hide=${hide.join(".")}`);
    return `gsl${VERSION}.${kind}${place > 1 ? `.${place}` : ""}?${parts.join("&")}`;
  }

  // {values, hide}; an Error says what is wrong with the text.
  function read(text, kind) {
    if (text.length > LONGEST) refuse(fill(words.not_so_long, LONGEST.toLocaleString("en")), text.length.toLocaleString("en"), words.copy_again);
    const [whole, version, of, , rest] = text.trim().replace(/^.*#/s, "").match(/^gsl(\d+)\.([a-z]+)(\.\d+)?\?(.*)$/s) ?? [];
    if (!whole) refuse(fill(words.a_link, VERSION, kind), quoted(text), words.copy_again);
    if (Number(version) !== VERSION) refuse(fill(words.this_version, VERSION), version, words.update);
    if (of !== kind) refuse(fill(words.this_kind, kind), of, words.copy_again);
    const values = Object.create(null); // a link may hold any name
    for (const part of rest.split("&").filter(Boolean)) {
      const at = part.indexOf("=");
      let value;
      try { value = decodeURIComponent(part.slice(at + 1)); } catch { value = undefined; }
      if (at < 0 || value === undefined) refuse(words.a_value, quoted(part), words.copy_again);
      values[part.slice(0, at)] = valueOf(value);
    }
    const { hide, ...others } = values;
    return { values: others, hide: hide ? String(hide).split(".") : [] };
  }

  // Whether a text is for the how manieth widget of its kind on the page: the first, unless it says .2
  function isFor(text, kind, place) {
    const [, of, number] = text.match(/^gsl\d+\.([a-z]+)(?:\.(\d+))?\?/) ?? [];
    return of === kind && Number(number ?? 1) === place;
  }

  return { isFor, read, write };
})();

// What `mountWidget` does with links: {wrong(), put(names), told(), open(text), start(), end()}. `still()` stops
// what plays: a link gives one picture, and what it is told stays until the reader does something.
function linkBar({ model, kind, extra, root, bar, names, read, put, complaint, redraw, still }) {
  const words = WORDS.link;
  const place = model.place ?? 1;
  const style = make("style");
  let wrong = "";
  let wrongAt; // the state beside which it was said
  let hidden = model.get("around")?.hide ?? [];
  const field = make("input", { type: "text", class: "gsl-link", "aria-label": words.field, title: words.field, hidden: "", onchange: () => open(field.value) });
  const said = make("span", { role: "status" });
  const button = make("button", { "data-control": "link", onclick: copy }, words.copy);
  bar.append(button, field, said);
  root.append(style);

  const shared = () => Object.fromEntries(names.map((name) => [name, model.get(name)]));
  const extras = () => Object.fromEntries(Object.entries(extra).map(([name, { get }]) => [name, get()]));
  const text = () => links.write(kind, { ...shared(), ...extras() }, hidden, place);
  // In JupyterLab the address is the reader's own, with a secret in it: the text alone is what others can open.
  const whole = () => (model.place ? `${location.href.split("#")[0]}#${text()}` : text());

  async function copy() {
    field.hidden = false;
    field.value = whole();
    try {
      await navigator.clipboard.writeText(field.value);
      said.textContent = words.copied;
    } catch {
      said.textContent = words.not_copied;
      field.select();
    }
  }

  function hide(controls) {
    hidden = controls.filter((name) => /^[a-z_]+$/.test(name));
    root.dataset.hide = hidden.join(" ");
    style.textContent = hidden.map((name) => `.gsl-explorer[data-hide~="${name}"] [data-control="${name}"]`).join() + (hidden.length ? "{display:none!important}" : "");
  }

  const typeOf = (value) => (Array.isArray(value) ? "list" : typeof value);

  function open(given) {
    wrong = "";
    still();
    try {
      const { values, hide: controls } = links.read(given, kind);
      const now = read();
      const own = {};
      for (const [name, value] of Object.entries(values)) {
        const old = Object.hasOwn(extra, name) ? extra[name].get() : names.includes(name) ? now[name] : undefined;
        if (old === undefined) throw new Error(complain(words.a_name, name, words.update));
        if (old !== null && value !== null && typeOf(old) !== typeOf(value)) throw new Error(complain(fill(words.a_type, name, typeOf(old)), quoted(value), words.copy_again));
        if (!Object.hasOwn(extra, name)) own[name] = value;
      }
      const fault = complaint({ ...now, ...own });
      if (fault) throw new Error(fault);
      put(own);
      for (const name of Object.keys(extra)) if (name in values) extra[name].set(values[name]);
      if (controls.length) hide(controls);
    } catch (error) {
      wrong = error.message;
      wrongAt = JSON.stringify(shared());
    }
    redraw();
  }

  // What is wrong with a link is said until the state is another, or the reader sets some of it again. What
  // she did *before* the link came may be told after it, and is no answer to it.
  function isWrong() {
    if (wrong && JSON.stringify(shared()) !== wrongAt) wrong = "";
    return wrong;
  }
  function wasPut(changed) {
    if (!wrong || !changed.some((name) => names.includes(name))) return;
    wrong = "";
    redraw();
  }

  // The state has been told: the address follows, so that reload and bookmark keep it.
  function told() {
    if (!field.hidden && document.activeElement !== field) field.value = whole();
    said.textContent = "";
    try { if (model.place) history.replaceState(null, "", `#${text()}`); } catch { /* a page without an address */ }
  }

  // The event comes a moment after its link, and the address may have followed the hand in between.
  function fromAddress(event) {
    const given = (event?.newURL ?? location.href).split("#").slice(1).join("#");
    if (model.place && links.isFor(given, kind, place)) open(given);
  }
  // A phrase in the text that is a link to a picture sets the figure, on a page and in JupyterLab alike.
  function onPhrase(event) {
    const text = event.target.closest?.("a[href*='#gsl']")?.getAttribute("href").replace(/^.*#/, "") ?? "";
    const within = root.closest(".jp-Notebook") ?? document;
    const nth = [...within.querySelectorAll(`.gsl-explorer[data-kind="${kind}"]`)].indexOf(root) + 1;
    if (!links.isFor(text, kind, nth)) return;
    event.preventDefault();
    event.stopPropagation();
    open(text);
    root.scrollIntoView({ block: "nearest", behavior: matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth" });
  }
  function end() {
    document.removeEventListener("click", onPhrase, true);
    removeEventListener("hashchange", fromAddress);
  }
  root.dataset.kind = kind;
  hide(hidden);
  document.addEventListener("click", onPhrase, true);
  addEventListener("hashchange", fromAddress);
  return { wrong: isWrong, put: wasPut, told, open, start: fromAddress, end };
}
