// A search on a few workers, which the reader may kill: `renderCluster({model, el})` is anywidget's entry.
//
// The sums are those of scale/costs.py, which is the reference; a test compares them.
const CLUSTER_NAMES = ["lists", "took", "workers", "notice", "time", "lost"];

function clusterComplaint({ lists, took, workers, time, lost }) {
  const words = WORDS.cluster;
  if (!lists?.length || lists.length !== took?.length) return complain(words.lists, WORDS.page.none, WORDS.page.run_again);
  if (!isWhole(time, 0)) return complain(words.a_time, time, WORDS.page.choose);
  const right = Array.isArray(lost) && lost.every((one) => one?.length === 2 && one[0] >= 0 && one[0] < workers && one[1] >= 0);
  if (!right || new Set(lost.map(([worker]) => worker)).size >= workers) return complain(words.lost, words.others, words.press_start);
  return "";
}

function clusterAttempts({ took, workers, notice, lost }) {
  const dies = new Map(lost);
  const free = Array(workers).fill(0);
  const waiting = took.map((_, shard) => shard);
  const back = [];
  const made = [];
  while (waiting.length || back.length) {
    const now = Math.min(...free);
    const worker = free.indexOf(now);
    const death = dies.get(worker) ?? Infinity;
    if (now >= death) {
      free[worker] = Infinity;
      continue;
    }
    back.sort((a, b) => a[0] - b[0] || a[1] - b[1]);
    const known = back.length > 0 && back[0][0] <= now;
    if (!known && !waiting.length) {
      free[worker] = back[0][0];
      continue;
    }
    const shard = known ? back.shift()[1] : waiting.shift();
    const done = death >= now + took[shard];
    const ended = done ? now + took[shard] : death;
    if (!done) back.push([ended + notice, shard]);
    free[worker] = done ? ended : Infinity;
    made.push({ worker, shard, began: now, ended, done });
  }
  return made;
}

const nearestOf = (rows, k) => rows.sort((a, b) => a[0] - b[0] || a[1] - b[1]).slice(0, k);

function clusterMerged({ lists, time }, made) {
  const came = made.filter(({ done, ended }) => done && ended <= time).sort((a, b) => a.ended - b.ended || a.worker - b.worker).map(({ shard }) => shard);
  return { came, merged: nearestOf(came.flatMap((shard) => lists[shard].map((row) => [...row, shard])), lists[0].length) };
}

function renderCluster({ model, el }) {
  const words = WORDS.cluster;
  const widget = mountWidget({ model, el, label: words.label, names: CLUSTER_NAMES, linked: ["time", "lost"], complaint: clusterComplaint, kind: "cluster", still: () => stop() });
  const { put } = widget;
  const { node: spoken, tell } = speaker();
  let playing = 0;
  let end = 0;
  const stop = () => {
    clearInterval(playing);
    playing = 0;
    play.textContent = WORDS.page.play;
  };
  const start = () => {
    if (model.get("time") >= end) put({ time: 0 });
    play.textContent = WORDS.page.stop;
    playing = setInterval(() => {
      const time = Math.min(end, model.get("time") + 4);
      if (time >= end) stop();
      put({ time });
    }, 50);
  };
  const othersLost = (worker) => model.get("lost").filter(([one]) => one !== worker);
  const isKillable = (worker) => {
    const [time, lost] = [model.get("time"), model.get("lost")];
    return time < end && othersLost(worker).length < model.get("workers") - 1 && !lost.some(([one, at]) => one === worker && at <= time);
  };
  const kill = (worker) => {
    if (isKillable(worker)) put({ lost: [...othersLost(worker), [worker, model.get("time")]] });
  };
  const scrub = make("input", { type: "range", min: 0, step: 1, "aria-label": words.time, oninput: () => { stop(); put({ time: Number(scrub.value) }); } });
  const clock = make("output", { "data-read": "time" });
  const play = make("button", { onclick: () => (playing ? stop() : start()) }, WORDS.page.play);
  const again = make("button", { onclick: () => { stop(); put({ time: 0, lost: [] }); } }, WORDS.page.start_again);
  const kills = Array.from({ length: model.get("workers") ?? 0 }, (_, worker) => make("button", { "data-kill": worker, onclick: () => kill(worker) }, fill(words.kill, worker)));
  widget.bar.append(scrub, clock, play, ...kills, again);
  const picture = clusterPicture(kill);
  const list = make("ol.gsl-cluster-list");
  const sentence = make("p.gsl-sentence", { "data-read": "sentence" });
  widget.stage.append(make("div.gsl-cluster", {}, picture.node, make("figure", {}, make("figcaption", {}, words.merged), list)), sentence, spoken);

  widget.start((state) => {
    const made = clusterAttempts(state);
    end = Math.max(...made.map(({ ended }) => ended));
    const { time, lists } = state;
    scrub.max = end;
    scrub.value = time;
    clock.textContent = fill(words.ms, time);
    kills.forEach((button, worker) => (button.disabled = !isKillable(worker)));
    const { came, merged } = clusterMerged(state, made);
    const k = lists[0].length;
    const right = new Set(nearestOf(lists.flat().map((row) => [...row]), k).map(([, id]) => id));
    list.replaceChildren(...merged.map(([distance, id, shard]) => make("li", right.has(id) ? { class: "gsl-cluster-final" } : {}, fill(words.item, id, shard, distance.toFixed(2), right.has(id) ? " ✓" : ""))));
    picture.update(state, made, end);
    const hurt = made.filter(({ done, ended }) => !done && ended <= time).map(({ shard, ended }) => fill(time < ended + state.notice ? words.unnoticed : words.again, shard));
    const found = merged.filter(([, id]) => right.has(id)).length;
    const said = fill(words.says, time, came.length, lists.length, found, k, hurt.join(""), end);
    tell(sentence, said, !playing);
  });
  return () => {
    stop();
    widget.end();
  };
}
