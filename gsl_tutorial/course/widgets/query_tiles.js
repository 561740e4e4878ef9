// Tiles of which one is chosen, by click or by the arrow keys: a group of radio buttons.
// `tiles` is a list of {name, note, picture}, `value` the number of the chosen one.
function renderQueryTiles({ model, el }) {
  const group = document.createElement("div");
  group.className = "gsl-tiles";
  group.setAttribute("role", "radiogroup");
  group.setAttribute("aria-label", model.get("label"));
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
    buttons = model.get("tiles").map((tile, i) => {
      const button = document.createElement("button");
      button.type = "button";
      button.setAttribute("role", "radio");
      button.dataset.lmSuppressShortcuts = "true"; // or JupyterLab moves between cells
      button.setAttribute("aria-label", `${tile.name}, ${tile.note}`);
      if (tile.picture) {
        const image = document.createElement("img");
        image.src = tile.picture;
        image.alt = "";
        button.append(image);
      }
      for (const text of [tile.name, tile.note]) {
        const line = document.createElement("span");
        line.textContent = text;
        button.append(line);
      }
      button.addEventListener("click", () => choose(i));
      return button;
    });
    group.replaceChildren(...buttons);
    mark();
  };

  group.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) return;
    const at = buttons.indexOf(document.activeElement);
    const last = buttons.length - 1;
    const to = {
      ArrowRight: at === last ? 0 : at + 1,
      ArrowDown: at === last ? 0 : at + 1,
      ArrowLeft: at === 0 ? last : at - 1,
      ArrowUp: at === 0 ? last : at - 1,
      Home: 0,
      End: last,
    }[event.key];
    if (at < 0 || to === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    choose(to);
    buttons[to].focus();
  });

  build();
  model.on("change:value", mark);
  model.on("change:tiles", build);
}

export default { render: renderQueryTiles };
