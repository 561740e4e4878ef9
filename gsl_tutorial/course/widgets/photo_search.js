// Chapter 00: choose a query and see the ten photographs that its search by four bytes finds.
//
// `renderPhotoSearch({model, el})` is anywidget's entry. `queries` is a list of {name, picture, code, found};
// `found` lists {name, picture, code, right}, nearest first. `chosen` is the number of a query. Where a
// picture is empty, a square in the colour of its class stands in for it.
const PHOTO_NAMES = ["queries", "chosen", "signs"];

function photoComplaint({ queries, chosen }) {
  if (!Array.isArray(queries) || !queries.length) return "expected a list of queries; got none. What to do: run the cell again.";
  if (!(Number.isInteger(chosen) && chosen >= 0 && chosen < queries.length)) return `expected a query from 0 to ${queries.length - 1}; got ${chosen}. What to do: click on a picture.`;
  return "";
}

function photoTile({ name, picture }, signs) {
  const shown = picture
    ? make("img", { src: picture, alt: "" })
    : make("span", { class: "gsl-sign", style: `background: ${signs[name]}` });
  return [shown, make("span", {}, name)];
}

function photoBytes(code) {
  return make("span", { class: "gsl-bytes" }, ...code.map((number) => make("span", {}, String(number))));
}

function renderPhotoSearch({ model, el }) {
  const widget = mountWidget({ model, el, label: "Search by four bytes", names: PHOTO_NAMES, linked: ["chosen"], complaint: photoComplaint, kind: "photos" });
  const choose = make("div", { class: "gsl-photos", role: "radiogroup", "aria-label": "Choose a query" });
  const sentence = make("p", { class: "gsl-sentence", "data-read": "found" });
  const results = make("ol", { class: "gsl-photos gsl-results" });
  const { node: spoken, say } = speaker();
  widget.stage.append(choose, sentence, results, spoken);
  let buttons = [];

  choose.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) return;
    const n = buttons.length;
    const at = buttons.indexOf(document.activeElement);
    const to = { ArrowRight: (at + 1) % n, ArrowDown: (at + 1) % n, ArrowLeft: (at + n - 1) % n, ArrowUp: (at + n - 1) % n, Home: 0, End: n - 1 }[event.key];
    if (at < 0 || to === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    widget.put({ chosen: to });
    buttons[to].focus();
  });

  widget.start(({ queries, chosen, signs }) => {
    if (buttons.length !== queries.length) {
      buttons = queries.map((query, i) => make("button", { type: "button", role: "radio", "aria-label": query.name, onclick: () => widget.put({ chosen: i }) }, ...photoTile(query, signs)));
      choose.replaceChildren(...buttons);
    }
    buttons.forEach((button, i) => {
      button.setAttribute("aria-checked", i === chosen);
      button.tabIndex = i === chosen ? 0 : -1;
    });
    const { name, code, found } = queries[chosen];
    const right = found.filter((one) => one.right).length;
    const told = `${right} of the ${found.length} photographs found show the same kind of thing: ${name}.`;
    if (sentence.dataset.value !== String(chosen)) {
      if (sentence.dataset.value) say(told);
      sentence.dataset.value = chosen;
      sentence.replaceChildren("The query as a code: ", photoBytes(code), ` ${told}`);
      results.replaceChildren(...found.map((one) => make("li", { class: one.right ? "gsl-right" : "gsl-wrong" },
        ...photoTile(one, signs), make("span", {}, one.right ? "✓" : "✗"), photoBytes(one.code))));
    }
  });
  return widget.end;
}
