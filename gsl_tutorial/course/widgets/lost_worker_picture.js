// A row for each worker, a block for each task; a line says when.
function clusterPicture(kill) {
  const words = WORDS.cluster;
  const [LEFT, RIGHT, TOP, HIGH] = [78, 470, 8, 40];
  const svg = element("svg", { role: "img", "aria-label": words.chart });

  function update({ workers, time, lost }, made, end) {
    const bottom = TOP + HIGH * workers;
    const x = (t) => LEFT + ((RIGHT - LEFT) * t) / end;
    const text = (at, y, said, look = {}) => (element("text", { x: at, y, ...look }, svg).textContent = said);
    svg.setAttribute("viewBox", `0 0 ${RIGHT + 10} ${bottom + 26}`);
    svg.replaceChildren();
    for (let worker = 0; worker < workers; worker++) {
      const y = TOP + HIGH * worker;
      text(0, y + 25, fill(words.worker, worker));
      element("rect", { x: LEFT, y, width: RIGHT - LEFT, height: HIGH - 6, class: "gsl-cluster-row" }, svg).addEventListener("click", () => kill(worker));
    }
    for (const { worker, shard, began, ended, done } of made) {
      if (began > time) continue;
      const now = Math.min(ended, time);
      const y = TOP + HIGH * worker;
      const look = ended > time ? "runs" : done ? "done" : "lost";
      element("rect", { x: x(began), y, width: Math.max(1, x(now) - x(began) - 1), height: HIGH - 6, class: `gsl-cluster-${look}`, "data-shard": shard, "data-worker": worker }, svg);
      if (x(now) - x(began) > 20) text((x(began) + x(now)) / 2, y + 23, shard, { "text-anchor": "middle", class: `gsl-cluster-on-${look}` });
    }
    for (const [worker, at] of lost) {
      if (at <= time) text(Math.min(x(at) + 4, RIGHT - 76), TOP + HIGH * worker + 23, words.killed, { class: "gsl-cluster-killed" });
    }
    element("path", { d: `M${x(Math.min(time, end))} ${TOP - 4}V${bottom}`, class: "gsl-cluster-now" }, svg);
    text(LEFT, bottom + 18, "0");
    text(RIGHT, bottom + 18, fill(words.ms, end), { "text-anchor": "end" });
  }
  const node = make("figure", {}, make("figcaption", {}, words.which), svg);
  return { node, update };
}
