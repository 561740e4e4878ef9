// Tiles of which one is chosen, by click or by the arrow keys: a group of radio buttons.
// `tiles` is a list of {name, note, picture}, `value` the number of the chosen one.
function renderQueryTiles({ model, el }) {
  const group = make("div.gsl-tiles", { role: "radiogroup", "aria-label": model.get("label") });
  el.append(group);
  let buttons = [];

  const choose = (number) => {
    model.set("value", number);
    model.save_changes();
  };

  const mark = () => {
    buttons.forEach((button, i) => {
      const chosen = i === model.get("value");
      button.setAttribute("aria-checked", chosen);
      button.tabIndex = chosen ? 0 : -1;
    });
  };

  const build = () => {
    buttons = model.get("tiles").map(({ name, note, picture }, i) =>
      make("button", { role: "radio", "aria-label": `${name}, ${note}`, onclick: () => choose(i) },
        picture ? make("img", { src: picture, alt: "" }) : "", make("span", {}, name), make("span", {}, note)));
    group.replaceChildren(...buttons);
    mark();
  };

  arrowKeys(group, () => buttons, roundAbout, choose);
  build();
  model.on("change:value", mark);
  model.on("change:tiles", build);
}

export default { render: renderQueryTiles };
