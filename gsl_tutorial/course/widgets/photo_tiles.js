// Tiles of photographs, codes as small boxes, and a row of tiles of which one is chosen: chapters 00 and 09.
//
// A photograph is {name, picture}. Where its picture is empty, a square in the colour of its class stands in.
function photoTile({ name, picture }, signs) {
  const shown = picture
    ? make("img", { src: picture, alt: "" })
    : make("span.gsl-sign", { style: `background: ${signs[name]}` });
  return [shown, make("span", {}, name)];
}

const photoBytes = (code) => make("span.gsl-bytes", {}, ...code.map((number) => make("span", {}, String(number))));

// A group of radio buttons, by click or by the arrow keys.
function photoChoice(label, choose) {
  const node = make("div.gsl-photos", { role: "radiogroup", "aria-label": label });
  let buttons = [];

  arrowKeys(node, () => buttons, roundAbout, choose);

  function update(queries, chosen, signs) {
    if (buttons.length !== queries.length) {
      buttons = queries.map((query, i) => make("button", { role: "radio", "aria-label": query.name, onclick: () => choose(i) }, ...photoTile(query, signs)));
      node.replaceChildren(...buttons);
    }
    buttons.forEach((button, i) => {
      renew(button, { "aria-checked": i === chosen, tabindex: i === chosen ? 0 : -1 });
    });
  }
  return { node, update };
}
