// Chapter 00: choose a query and see the ten photographs that its search by four bytes finds.
//
// `renderPhotoSearch({model, el})` is anywidget's entry. `queries` is a list of {name, picture, code, found};
// `found` lists {name, picture, code, right}, nearest first. `chosen` is the number of a query.
const PHOTO_NAMES = ["queries", "chosen", "signs"];

function photoComplaint({ queries, chosen }) {
  if (!Array.isArray(queries) || !queries.length) return "expected a list of queries; got none. What to do: run the cell again.";
  if (!(Number.isInteger(chosen) && chosen >= 0 && chosen < queries.length)) return `expected a query from 0 to ${queries.length - 1}; got ${chosen}. What to do: click on a picture.`;
  return "";
}

function renderPhotoSearch({ model, el }) {
  const widget = mountWidget({ model, el, label: "Search by four bytes", names: PHOTO_NAMES, linked: ["chosen"], complaint: photoComplaint, kind: "photos" });
  const choice = photoChoice("Choose a query", (chosen) => widget.put({ chosen }));
  const sentence = make("p", { class: "gsl-sentence", "data-read": "found" });
  const results = make("ol", { class: "gsl-photos gsl-results" });
  const { node: spoken, say } = speaker();
  widget.stage.append(choice.node, sentence, results, spoken);

  widget.start(({ queries, chosen, signs }) => {
    choice.update(queries, chosen, signs);
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
