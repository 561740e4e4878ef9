// Elements of HTML and SVG in one line each.
function make(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (value !== undefined) made.setAttribute(name, value);
  }
  // JupyterLab must not take arrow keys, or Enter on a button, for moving between cells.
  if (["button", "select", "input"].includes(tag)) made.dataset.lmSuppressShortcuts = "true";
  made.append(...children);
  return made;
}

function element(tag, attributes, parent) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  parent?.append(made);
  return made;
}

// Arrow keys in a group of radio buttons, of which one is in the order of Tab: `next(key, i, n)` says where a
// key leads from the i-th of n, or nothing.
function arrowKeys(group, buttons, next, choose) {
  group.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) return;
    const all = buttons();
    const from = all.indexOf(document.activeElement);
    const to = from < 0 ? undefined : next(event.key, from, all.length);
    if (to === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    choose(to);
    all[to].focus();
  });
}
const roundAbout = (key, i, n) => {
  const [on, back] = [(i + 1) % n, (i + n - 1) % n];
  return { ArrowRight: on, ArrowDown: on, ArrowLeft: back, ArrowUp: back, Home: 0, End: n - 1 }[key];
};
