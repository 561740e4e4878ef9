// Play, step and scrub through the moments of a run: the bar below a picture, and its clock.
//
// `show(t)` draws moment t, which may lie between two whole ones while it plays; `end()` is the last.
const STEPS_A_SECOND = 20;

function player({ end, show, alive }) {
  const words = WORDS.player;
  let time = 0;
  let playing = 0;
  const play = make("button", { onclick: () => (playing ? stop() : start()) }, words.play);
  const one = make("button", { onclick: () => { stop(); seek(Math.floor(time) + 1); } }, words.step);
  const scrub = make("input", { type: "range", min: 0, step: 1, value: 0, "aria-label": words.shown, oninput: () => { stop(); seek(Number(scrub.value)); } });
  const clock = make("output", { "data-read": "step" });
  const node = make("div.gsl-transport", {}, play, one, make("label", {}, words.scrub, scrub), clock);

  function seek(t) {
    time = Math.min(end(), Math.max(0, t));
    renew(scrub, { max: end() });
    scrub.value = Math.floor(time);
    renew(clock, { text: fill(words.clock, Math.floor(time), end()) });
    show(time);
  }

  function start() {
    if (time >= end()) seek(0);
    if (matchMedia("(prefers-reduced-motion: reduce)").matches) return seek(end());
    const from = time;
    let began;
    play.textContent = words.pause;
    const frame = (clockTime) => {
      began ??= clockTime;
      seek(from + ((clockTime - began) / 1000) * STEPS_A_SECOND);
      if (time >= end() || !alive()) stop();
      else playing = requestAnimationFrame(frame);
    };
    playing = requestAnimationFrame(frame);
    return undefined;
  }

  function stop() {
    cancelAnimationFrame(playing);
    playing = 0;
    play.textContent = words.play;
  }

  // The step shown, as a link holds it; with a number, the one that `again` shows next.
  const at = (t) => (t === undefined ? Math.floor(time) : (time = Math.max(0, Math.floor(t))));
  return { node, seek, again: () => seek(time), stop, at };
}
