// Films on a map: `renderFilms({model, el})` is anywidget's entry. The reader chooses one that she liked, and
// sees what could be pushed away for it. Films are told apart by mark and place, and their names stand beside.
const FILM_NAMES = ["places", "cells", "names", "hard", "easy", "near", "film", "draw"];

function filmsComplaint({ places, names, hard, film, draw }) {
  if (![places, names, hard].every((one) => Array.isArray(one) && one.length)) return complain(WORDS.films.films, WORDS.page.none, WORDS.page.run_again);
  const { choose } = WORDS.page;
  return outside("film", film, 0, names.length - 1, choose) || outside("draw", draw, 0, hard[0].length - 1, choose);
}

function renderFilms({ model, el }) {
  const words = WORDS.films;
  const widget = mountWidget({ model, el, label: words.label, names: FILM_NAMES, linked: ["film", "draw"], complaint: filmsComplaint, kind: "films" });
  const { put } = widget;
  const { node: spoken, tell } = speaker();
  const n = model.get("names")?.length ?? 0;
  const draws = model.get("hard")?.[0]?.length ?? 1;
  const choose = (film) => put({ film: (film + n) % n, draw: 0 });
  const button = (text, act) => make("button", { onclick: act }, text);
  const before = button(words.before, () => choose(model.get("film") - 1));
  const after = button(words.after, () => choose(model.get("film") + 1));
  const again = button(words.draw, () => put({ draw: (model.get("draw") + 1) % draws }));
  before.setAttribute("aria-label", words.film_before);
  after.setAttribute("aria-label", words.next_film);
  widget.bar.append(before, after, again);

  const map = filmMap(choose);
  const lists = Object.fromEntries(Object.keys(words.kinds).map((kind) => [kind, make("ul")]));
  const part = ([kind, title]) => make("div", {}, make("p.gsl-film-kind", {}, filmMark(kind), title), lists[kind]);
  const liked = make("p.gsl-film-liked", { "data-read": "liked" });
  widget.stage.append(make("div.gsl-films", {}, map.node, make("div.gsl-film-lists", {}, liked,
    ...Object.entries(words.kinds).map(part))), spoken);

  widget.start((state) => {
    const { names, film, draw, cells } = state;
    const fillList = (kind, texts) => lists[kind].replaceChildren(...texts.map((text) => make("li", {}, text)));
    const [hard, easy] = [state.hard[film][draw], state.easy[film][draw]];
    tell(liked, fill(words.liked, names[film]));
    fillList("hard", hard.map((i) => names[i]));
    fillList("easy", easy.map((i) => names[i]));
    fillList("near", state.near[film]);
    map.update(state.places, cells, film, hard, easy);
  });
  return () => widget.end();
}

const FILM_SHAPES = {
  star: "M0 -14L3.6 -4.6 13.3 -4.3 5.8 1.9 8.2 11.3 0 6 -8.2 11.3 -5.8 1.9 -13.3 -4.3 -3.6 -4.6Z",
  hard: "M-7 -7L7 7M7 -7L-7 7",
  easy: "M-7 0a7 7 0 1 0 14 0a7 7 0 1 0 -14 0Z",
};

// The mark of a kind of negative, for headings; what is nearest has none on the map.
function filmMark(kind) {
  const svg = element("svg", { viewBox: "-12 -12 24 24", width: 18, height: 18, "aria-hidden": "true" });
  if (FILM_SHAPES[kind]) element("path", { d: FILM_SHAPES[kind], class: `gsl-film-${kind}` }, svg);
  return FILM_SHAPES[kind] ? svg : "";
}

// Where a click lands, the nearest film is chosen; with the keyboard, the arrows go to the next film that way.
function filmMap(choose) {
  const [SIZE, EDGE] = [460, 18];
  const svg = element("svg", { viewBox: `0 0 ${SIZE} ${SIZE}`, class: "gsl-film-map", role: "group", tabindex: 0, "aria-label": WORDS.films.map });
  const others = pathIn(svg, "gsl-film-others");
  const mates = pathIn(svg, "gsl-film-mates");
  const marks = Object.fromEntries(["easy", "hard", "star"].map((kind) => [kind, element("g", {}, svg)]));
  const spot = ([x, y]) => [EDGE + (SIZE - 2 * EDGE) * x, SIZE - EDGE - (SIZE - 2 * EDGE) * y];
  let spots = [];
  let now = 0;

  const nearest = (x, y, allowed = () => true) => {
    let found = now;
    let best = Infinity;
    spots.forEach(([a, b], i) => {
      const far = (a - x) ** 2 + (b - y) ** 2;
      if (far < best && allowed(a, b, i)) [best, found] = [far, i];
    });
    return found;
  };
  svg.addEventListener("click", (event) => {
    const box = svg.getBoundingClientRect();
    choose(nearest(((event.clientX - box.x) / box.width) * SIZE, ((event.clientY - box.y) / box.height) * SIZE));
  });
  const ways = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
  svg.addEventListener("keydown", (event) => {
    const way = ways[event.key];
    if (!way) return;
    event.preventDefault();
    event.stopPropagation();
    const [x, y] = spots[now];
    // At most 45 degrees off the way that the arrow points.
    choose(nearest(x, y, (a, b, i) => i !== now && (a - x) * way[0] + (b - y) * way[1] >= Math.abs((a - x) * way[1] + (b - y) * way[0]) && (a !== x || b !== y)));
  });

  function update(places, cells, film, hard, easy) {
    spots = places.map(spot);
    now = film;
    const dots = (wanted) => spots.filter((_, i) => wanted(i)).map(([x, y]) => `M${x.toFixed(1)} ${y.toFixed(1)}h0`).join("");
    others.setAttribute("d", dots((i) => cells[i] !== cells[film]));
    mates.setAttribute("d", dots((i) => cells[i] === cells[film]));
    const draw = (kind, films) => marks[kind].replaceChildren(...films.map((i) => element("path", { d: FILM_SHAPES[kind], class: `gsl-film-${kind}`, transform: `translate(${spots[i]})` })));
    draw("easy", easy);
    draw("hard", hard);
    draw("star", [film]);
  }
  return { node: svg, update };
}
