// The life of a widget that is drawn in the page: when it is drawn, what it tells Python, what it says
// when something is wrong.
//
// Of {model, el} as anywidget gives them; `model` is a small stand-in on a page without a kernel.
// `names` are the model's traits, `complaint(state)` says what is wrong with them, "" where nothing is,
// `notes(state)` what else there is to know. Then `start(draw)` draws once, and once a frame at most
// whenever a trait has changed. With a `kind`, it can be shared by link and has presets and a tour; `still()`
// stops what plays when a link is opened.
const TELL_EVERY = 80; // ms: a message for each frame of a drag would keep the page and the kernel busy

function mountWidget({ model, el, label, names, complaint, notes = () => [], kind, extra = {}, linked = names, still = () => {} }) {
  const root = make("div.gsl-explorer", { role: "region", "aria-label": label });
  const bar = make("div.gsl-bar");
  const message = make("div.gsl-message", { role: "alert", hidden: "" });
  const note = make("div.gsl-note", { role: "status", hidden: "" });
  const stage = make("div");
  root.append(bar, message, note, stage);
  el.append(root);

  const read = () => Object.fromEntries(names.map((name) => [name, model.get(name)]));

  // ---- Python is told: after the picture, then now and then while it goes on, and where it ends ----
  // JupyterLab marks the elements of widgets that have lost their kernel, a moment after it tells.
  const connected = () => !el.closest(".jupyter-widgets-disconnected");
  let telling = 0;
  let untold = false;
  // What was put here and Python has not heard yet. Its answer to an earlier message may arrive in between,
  // with the value of then; a busy kernel's often does. The reader's hand wins.
  let mine = {};
  function tell() {
    clearTimeout(telling);
    telling = 0;
    if (!untold) return;
    untold = ended = false;
    mine = {};
    if (connected()) model.save_changes();
    sharing?.told();
    telling = setTimeout(tell, TELL_EVERY);
  }
  function put(changes) {
    Object.assign(mine, changes);
    sharing?.put(Object.keys(changes));
    for (const [name, value] of Object.entries(changes)) model.set(name, value);
    untold = true;
    schedule();
  }
  let ended = false;
  function rests() {
    ended = untold;
    if (untold) schedule();
  }
  for (const event of ["pointerup", "focusout", "keyup"]) root.addEventListener(event, rests);

  // ---- drawing, at most once a frame ----
  let drawing = () => {};
  let waiting = 0;
  let mounted = true;
  function schedule() {
    waiting ||= requestAnimationFrame(() => {
      waiting = 0;
      if (mounted) draw();
      if (!untold || (telling && !ended)) return;
      clearTimeout(telling);
      telling = setTimeout(tell); // a message takes as long as a picture: it goes when that is painted
    });
  }
  function draw() {
    const state = read();
    let wrong = complaint(state);
    if (!wrong) {
      try {
        drawing(state);
      } catch (error) {
        wrong = fill(WORDS.page.not_drawn, error.message);
      }
    }
    stage.classList.toggle("gsl-stale", Boolean(wrong));
    wrong ||= sharing?.wrong() ?? ""; // a link that could not be opened leaves the picture as it is
    message.hidden = !wrong;
    if (message.textContent !== wrong) message.textContent = wrong;
    const said = wrong ? [] : notes(state);
    if (!connected()) said.push(WORDS.page.kernel_gone);
    note.textContent = said.join(" ");
    note.hidden = !said.length;
    tour?.look();
  }
  function changed() {
    for (const [name, value] of Object.entries(mine)) if (model.get(name) !== value) model.set(name, value);
    if (model.place) { // controls of the page's own change the model themselves
      untold = true;
      telling ||= setTimeout(tell, TELL_EVERY);
    }
    schedule();
  }
  const lookAgain = () => setTimeout(schedule, 200);

  // Shift+Enter runs the cell and Ctrl+S saves also while a handle has the focus: hand them on to the
  // notebook, from which JupyterLab would not hear them otherwise.
  root.addEventListener("keydown", (event) => {
    const held = event.ctrlKey || event.metaKey;
    if (!(event.key === "Enter" && (event.shiftKey || held)) && !(event.key === "s" && held)) return;
    const { key, code, keyCode, shiftKey, ctrlKey, metaKey } = event;
    tell();
    el.closest(".jp-Notebook")?.dispatchEvent(new KeyboardEvent("keydown", { key, code, keyCode, shiftKey, ctrlKey, metaKey, bubbles: true }));
    event.preventDefault();
  });

  const around = model.get("around") ?? {};
  const tour = around.tour?.length ? tourOf(around.tour, root, model) : undefined;
  let sharing;
  function start(how) {
    drawing = how;
    if (kind) {
      sharing = linkBar({ model, kind, extra, root, bar, names: linked, read, put, complaint, redraw: schedule, still });
      if (tour) bar.prepend(tour.button);
      if (Object.keys(around.presets ?? {}).length) bar.after(presetBar(around.presets, sharing.open));
      if (tour) bar.after(tour.panel);
    }
    for (const name of names) model.on(`change:${name}`, changed);
    model.on("comm_live_update", lookAgain);
    lookAgain();
    draw();
    sharing?.start();
  }
  function end() {
    tell();
    sharing?.end();
    tour?.stop();
    mounted = false;
    clearTimeout(telling);
    model.off("comm_live_update", lookAgain);
    for (const name of names) model.off(`change:${name}`, changed);
  }
  const listening = () => !model.place && connected();
  return { bar, stage, put, listening, redraw: schedule, start, end };
}

// Says aloud where something came to rest, not the way there.
function speaker() {
  const node = make("div", { "aria-live": "polite", class: "gsl-spoken" });
  let speaking = 0;
  const say = (text) => {
    clearTimeout(speaking);
    speaking = setTimeout(() => (node.textContent = text), 600);
  };
  // The same in a sentence that stands in the picture, where it is a new one.
  const tell = (sentence, text, aloud = true) => {
    if (sentence.textContent === text) return;
    sentence.textContent = text;
    if (aloud) say(text);
  };
  return { node, say, tell };
}
