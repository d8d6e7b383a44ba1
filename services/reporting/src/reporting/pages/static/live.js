// Liveliness of the coordination group's page. Without this script the page is complete, and stands still.
"use strict";
(() => {
  const root = document.querySelector("[data-live]");
  if (!root || !window.EventSource) return;
  const words = JSON.parse(document.getElementById("live-words").textContent);
  const sign = document.getElementById("live-sign");
  const lost = document.getElementById("lost");
  const announcer = document.getElementById("announcer");
  const pause = document.getElementById("pause");
  const SILENCE_MS = 45000; // the server speaks at least every ten seconds; four times missed is a dead line
  const ANNOUNCE_MS = 10000; // heard more often, changes would talk over what is being read
  const RETRY_MS = [1000, 2000, 5000, 10000, 20000];
  let source = null, attempts = 0, paused = false, watchdog = 0, retry = 0, lastHeard = "";
  let changed = new Map(), lastAnnounced = 0, announcing = 0;

  const say = (template, values) => template.replace(/\{(\w+)\}/g, (_, name) => values[name] ?? "");

  function show(state) {
    sign.dataset.state = state;
    sign.textContent = say(words[state], { time: lastHeard });
    lost.hidden = state !== "lost";
    if (state === "lost") lost.querySelector("[data-part=since]").textContent = say(words.lostSince, { time: lastHeard });
  }

  function write(element, text) {
    if (!element || text === undefined || element.textContent === text) return false;
    element.textContent = text;
    return true;
  }

  function takeTiles(message) {
    heard(message.time);
    if (root.dataset.on && message.on !== root.dataset.on) nextDay();
    for (const tile of message.tiles) {
      const element = document.getElementById("tile-" + tile.id);
      if (!element) continue;
      const part = (name) => element.querySelector(`[data-part="${name}"]`);
      const valueChanged = write(part("value"), tile.value);
      for (const name of ["unit", "change", "target", "period", "mark", "notes", "latest", "sentence"]) write(part(name), tile[name]);
      if (valueChanged) {
        const fading = element.closest(".tile") || element;
        fading.classList.remove("tile--changed");
        void fading.offsetWidth; // lets the same fade start again
        fading.classList.add("tile--changed");
        changed.set(tile.id, tile.spoken);
      }
    }
    announce();
  }

  // All open alerts come at once, whatever was missed: what is not among them is over.
  function takeAlerts(message) {
    heard(message.time);
    const section = document.getElementById("alerts");
    if (!section) return;
    const list = section.querySelector("ul");
    const open = new Set(message.alerts.map((alert) => "alert-" + alert.id));
    for (const item of [...list.children]) {
      if (open.has(item.id)) continue;
      changed.set(item.id, say(words.alertEnded, { sentence: item.querySelector("a").textContent }));
      item.remove();
    }
    message.alerts.forEach((alert, place) => {
      const id = "alert-" + alert.id;
      let item = document.getElementById(id);
      if (!item) {
        item = document.getElementById("alert-template").content.firstElementChild.cloneNode(true);
        item.id = id;
      }
      // One that stands in its place is not touched: somebody may be at its button.
      if (list.children[place] !== item) list.insertBefore(item, list.children[place] ?? null);
      const link = item.querySelector("a");
      link.setAttribute("href", alert.href);
      const isNew = write(link, alert.sentence);
      if (write(item.querySelector("span"), alert.state) || isNew) changed.set(id, alert.sentence + " " + alert.state);
      const form = item.querySelector("form");
      if (!form) return;
      form.hidden = !alert.acknowledge_at;
      if (form.hidden || form.getAttribute("action") === alert.acknowledge_at) return;
      form.setAttribute("action", alert.acknowledge_at);
      form.querySelector("input").value = alert.idempotency_key;
      form.querySelector("button").setAttribute("aria-label", words.acknowledge + ": " + alert.sentence);
    });
    section.hidden = !message.alerts.length;
    announce();
  }

  // After midnight every figure on the page is another day's; not all pages ask in the same second.
  function nextDay() {
    root.dataset.on = "";
    setTimeout(() => location.reload(), Math.random() * 10000);
  }

  function takeSources(message) {
    heard(message.time);
    for (const office of message.sources) {
      for (const element of document.querySelectorAll(`[data-source="${CSS.escape(office.office)}"]`)) write(element, office.words);
    }
    const trouble = document.getElementById("trouble");
    trouble.hidden = !message.trouble.length;
    write(trouble.querySelector("[data-part=trouble]"), message.trouble.join(" "));
  }

  function announce() {
    if (!changed.size || announcing) return;
    const wait = Math.max(0, lastAnnounced + ANNOUNCE_MS - Date.now());
    announcing = setTimeout(() => {
      announcing = 0;
      lastAnnounced = Date.now();
      announcer.textContent = say(words.changed, { list: [...changed.values()].join("; ") });
      changed = new Map();
    }, wait);
  }

  function heard(time) {
    lastHeard = time;
    attempts = 0;
    clearTimeout(watchdog);
    watchdog = setTimeout(reconnect, SILENCE_MS);
    show("live");
  }

  function close() {
    if (source) source.close();
    source = null;
    clearTimeout(watchdog);
    clearTimeout(retry);
  }

  function open() {
    close();
    source = new EventSource(root.dataset.live);
    source.addEventListener("tiles", (event) => takeTiles(JSON.parse(event.data)));
    source.addEventListener("alerts", (event) => takeAlerts(JSON.parse(event.data)));
    source.addEventListener("sources", (event) => takeSources(JSON.parse(event.data)));
    // The browser comes back by itself and says what it has seen last; it gives up where the answer is no stream.
    source.addEventListener("error", () => (source?.readyState === EventSource.CLOSED ? reconnect() : show("lost")));
    watchdog = setTimeout(reconnect, SILENCE_MS);
  }

  // A new stream begins with everything, so nothing that changed meanwhile is missed.
  function reconnect() {
    close();
    if (paused) return;
    show("lost");
    retry = setTimeout(open, RETRY_MS[Math.min(attempts++, RETRY_MS.length - 1)]);
  }

  pause.hidden = false;
  pause.addEventListener("click", () => {
    paused = !paused;
    pause.setAttribute("aria-pressed", String(paused));
    if (paused) {
      close();
      show("paused");
    } else {
      show("connecting");
      open();
    }
  });
  addEventListener("pagehide", close);
  addEventListener("pageshow", (event) => { if (event.persisted && !paused) open(); });
  addEventListener("online", () => { if (!paused) open(); });
  open();
})();
