// Elements of HTML and SVG in one line each; "p.gsl-note" is a <p> of the class gsl-note.
function make(kind, attributes = {}, ...children) {
  const [tag, ...classes] = kind.split(".");
  const made = document.createElement(tag);
  if (classes.length) made.className = classes.join(" ");
  if (tag === "button") made.type = tag;
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

const pathIn = (parent, name) => element("path", { class: name }, parent);

// Says what has changed, and nothing else: a browser lays out anew what it is told, also where it is the same.
function renew(node, values) {
  for (const [name, value] of Object.entries(values)) {
    if (name === "text") node.textContent === String(value) || (node.textContent = value);
    else node.getAttribute(name) === String(value) || node.setAttribute(name, value);
  }
}
