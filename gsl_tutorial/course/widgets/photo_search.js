// Chapter 00: choose a query and see the ten photographs that its search by four bytes finds.
//
// `renderPhotoSearch({model, el})` is anywidget's entry. `queries` is a list of {name, picture, code, found};
// `found` lists {name, picture, code, right}, nearest first. `chosen` is the number of a query.
const PHOTO_NAMES = ["queries", "chosen", "signs"];

function photoComplaint({ queries, chosen }) {
  if (!Array.isArray(queries) || !queries.length) return complain(WORDS.photos.queries, WORDS.page.none, WORDS.page.run_again);
  return outside(WORDS.photos.a_query, chosen, 0, queries.length - 1, WORDS.photos.click);
}

function renderPhotoSearch({ model, el }) {
  const words = WORDS.photos;
  const widget = mountWidget({ model, el, label: words.label, names: PHOTO_NAMES, linked: ["chosen"], complaint: photoComplaint, kind: "photos" });
  const choice = photoChoice(words.choose, (chosen) => widget.put({ chosen }));
  const sentence = make("p.gsl-sentence", { "data-read": "found" });
  const results = make("ol.gsl-photos.gsl-results");
  const { node: spoken, say } = speaker();
  widget.stage.append(choice.node, sentence, results, spoken);

  widget.start(({ queries, chosen, signs }) => {
    choice.update(queries, chosen, signs);
    const { name, code, found } = queries[chosen];
    const right = found.filter((one) => one.right).length;
    const told = fill(words.says, right, found.length, name);
    if (sentence.dataset.value !== String(chosen)) {
      if (sentence.dataset.value) say(told);
      sentence.dataset.value = chosen;
      sentence.replaceChildren(words.code, photoBytes(code), ` ${told}`);
      results.replaceChildren(...found.map((one) => make("li", { class: one.right ? "gsl-right" : "gsl-wrong" },
        ...photoTile(one, signs), make("span", {}, one.right ? "✓" : "✗"), photoBytes(one.code))));
    }
  });
  return widget.end;
}
