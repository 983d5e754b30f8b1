// Let a page follow what it shows: ask often, in a few bytes, whether anything has moved (dashboards/pulse.py), and for the page itself
// only when it has; then renew its regions (`data-region`) where they differ. Nothing that a person is using moves under their hands.
// Without this script the page says of when its figures are, and a reload renews them.
{
  const FAST = 2, SLOW = 30, AWAY = 60, LONGEST = 300; // seconds between two questions: while things move, at rest, after failures, at most as told
  const BRISK = [[120, 5], [600, 10]]; // nothing moved and nobody did anything for so many seconds: at most so long between two questions
  const PATIENCE = 30; // seconds to wait for an answer
  const SAYS_EVERY = 20; // seconds between two announcements
  const mark = document.getElementById("live");
  const find = (css) => mark.querySelector(css);
  const regionsOf = (page) => new Map([...page.querySelectorAll("[data-region]")].map((region) => [region.dataset.region, region]));
  const known = new Map([...regionsOf(document)].map(([name, region]) => [name, withoutTokens(region)]));
  const seconds = () => performance.now() / 1000;

  const list = document.querySelector("[data-region=orders]");
  const isStill = Boolean(list && "still" in list.dataset); // deep in a list: it may not move under somebody's eyes

  let tag = mark.dataset.tag, newest = mark.dataset.newest, newer = 0, hasShifted = false;
  let pause = FAST, stirred = seconds(), asked = -Infinity, timer = null, isAsking = false, hasEnded = false;
  let waiting = null; // the latest page, while some of it waits until a person has finished
  let came = 0, said = -Infinity, saying = null;

  // What a browser remembers may be barred; then the switch holds for this page.
  let paused = false;
  try { paused = localStorage.getItem("live") === "paused"; } catch { /* it holds for this page */ }

  const plural = (count) => `${count >= 1000 ? "1,000 or more" : count} ${count === 1 ? "newer order" : "newer orders"}`;

  function show(state, words) {
    mark.dataset.state = state;
    const shown = find(".live-state");
    shown.hidden = false;
    if (shown.textContent !== words) shown.textContent = words;
    find(".live-switch").hidden = hasEnded;
    find(".live-switch").textContent = paused ? "Follow again" : "Pause";
  }

  // Say it to a screen reader, in a pause of its own and never twice within `SAYS_EVERY` seconds.
  function say(words) {
    clearTimeout(saying);
    saying = setTimeout(() => {
      find("[role=status]").textContent = words();
      said = seconds();
      came = 0;
    }, Math.max(0, said + SAYS_EVERY - seconds()) * 1000);
  }

  // What waits is said in sight, with a way to it; it is written anew only where it differs, so that its link keeps the focus.
  function tell() {
    const place = find(".live-told");
    const isBehind = list && newer > 0;
    const words = isBehind ? plural(newer) : hasShifted ? "this list has changed: show it anew" : waiting ? "newer figures wait until you have finished here" : "";
    if (place.textContent === words) return;
    place.textContent = "";
    if (isBehind || hasShifted) {
      const link = document.createElement("a");
      link.href = isBehind ? (mark.dataset.first ?? location.href) : location.href;
      link.textContent = words;
      place.append(link);
      say(() => words);
    } else place.append(words);
  }

  const isTyped = (field) =>
    field.type === "checkbox" || field.type === "radio" ? field.checked !== field.defaultChecked
    : field.options ? [...field.options].some((one) => one.selected !== one.defaultSelected) && field.selectedIndex > 0
    : field.type !== "hidden" && field.defaultValue !== undefined && field.value !== field.defaultValue;

  // Tell whether a person is at work in a region: typing, with the keyboard's focus, or marking text.
  function isInUse(region) {
    const focused = document.activeElement;
    if (region.contains(focused) && focused.matches(":focus-visible, input, select, textarea, [contenteditable]")) return true;
    if ([...region.querySelectorAll("input, select, textarea")].some(isTyped)) return true;
    const selection = getSelection();
    return !selection.isCollapsed && selection.rangeCount > 0 && selection.getRangeAt(0).intersectsNode(region);
  }

  const rowsOf = (region) => [...region.querySelectorAll("[data-row]")].map((row) => row.dataset.row).join();

  // Bring the regions to a page's; return whether all of them could be.
  function renew(page) {
    const found = regionsOf(page);
    let isWhole = true;
    hasShifted = false;
    for (const [name, region] of regionsOf(document)) {
      const now = withoutTokens(found.get(name)), was = known.get(name);
      if (was.isEqualNode(now)) continue;
      if (region === list && isStill && rowsOf(was) !== rowsOf(now)) { hasShifted = true; continue; }
      if (isInUse(region)) { isWhole = false; continue; }
      // Forms are sent with the token they are given now.
      renewRegion(region, was, now);
      for (const field of region.querySelectorAll("[name=csrfmiddlewaretoken]")) field.value ||= token(page);
      known.set(name, now);
    }
    return isWhole;
  }
  const token = (page) => page.querySelector("[name=csrfmiddlewaretoken]")?.value ?? "";

  // Show a page's figures; what a person is at work in waits, with the page that it is to be brought to.
  function take(page) {
    const fresh = page.getElementById("live"), [here, there] = [regionsOf(document), regionsOf(page)];
    if (!fresh || here.size !== there.size || ![...here.keys()].every((name) => there.has(name))) {
      // It is laid out otherwise now, such as with its first figures.
      if (!isInUse(document.body)) location.reload();
      waiting = page;
    } else waiting = renew(page) ? null : page;
    if (!waiting) {
      find(".live-figures").replaceWith(document.importNode(fresh.querySelector(".live-figures"), true));
      document.title = page.title;
      if (!isStill) { newest = fresh.dataset.newest; newer = 0; }
    }
    tell();
  }

  // What waited is tried again when a person leaves a field, or lets go of marked text.
  const tryAgain = () => { if (waiting) take(waiting); };

  async function ask(address, headers) {
    const answer = await fetch(address, {
      headers: { "X-Requested-With": "live", ...headers }, credentials: "same-origin", cache: "no-store", redirect: "manual", signal: AbortSignal.timeout(PATIENCE * 1000),
    }).catch(() => { throw Object.assign(new Error("away"), { after: 0 }); });
    const gone = { 401: "You are signed out", 403: "You may no longer see this", 404: "This is no longer here" }[answer.status];
    if (answer.type === "opaqueredirect" || gone) throw Object.assign(new Error("ended"), { words: gone ?? "You are signed out" });
    if (answer.status !== 304 && !answer.ok) throw Object.assign(new Error("away"), { after: Number(answer.headers.get("Retry-After")) || 0 });
    return answer;
  }

  async function look() {
    const since = newest ? `${mark.dataset.pulse.includes("?") ? "&" : "?"}newest=${encodeURIComponent(newest)}` : "";
    const answer = await ask(mark.dataset.pulse + since, { "If-None-Match": `"${tag}"` });
    if (answer.status === 304) return false;
    const pulse = await answer.json();
    const began = seconds();
    const page = new DOMParser().parseFromString(await (await ask(location.href, {})).text(), "text/html");
    tag = page.getElementById("live")?.dataset.tag ?? pulse.tag;
    newer = pulse.newer;
    take(page);
    if (!waiting && !isStill) came += pulse.newer;
    mark.classList.remove("moved");
    void mark.offsetWidth; // so that the animation begins anew
    mark.classList.add("moved");
    if (!waiting) say(() => `${find(".live-figures").textContent.trim()}${came ? `, ${came >= 1000 ? "1,000 or more" : came} new ${came === 1 ? "order" : "orders"}` : ""}`);
    pause = Math.max(FAST, 5 * (seconds() - began)); // a page that takes long to make is not asked for without rest
    return true;
  }

  async function round() {
    if (isAsking || paused || hasEnded || document.hidden) return;
    isAsking = true;
    asked = seconds();
    try {
      const resting = BRISK.find(([quiet]) => seconds() - stirred < quiet)?.[1] ?? SLOW;
      if (await look()) stirred = seconds();
      else pause = Math.min(Math.max(pause, FAST) * 1.25, resting);
      if (!paused) show("live", "Live");
    } catch (fault) {
      if (fault.words) {
        hasEnded = true;
        show("ended", fault.words);
        say(() => `${fault.words}. These figures no longer follow.`);
      } else {
        pause = Math.min(Math.max(pause * 2, fault.after ?? 0), fault.after ? LONGEST : AWAY);
        if (!paused) show("away", "Not reached, trying again");
        if (fault.after === undefined) reportError(fault);
      }
    } finally {
      isAsking = false;
    }
    next();
  }

  // Tabs that were opened together do not ask together.
  const next = (soon) => {
    clearTimeout(timer);
    if (!paused && !hasEnded && !document.hidden) timer = setTimeout(round, (soon ? Math.max(0, asked + FAST - seconds()) : pause * (0.9 + 0.2 * Math.random())) * 1000);
  };

  function follow(isPaused) {
    paused = isPaused;
    show(paused ? "paused" : "live", paused ? "Paused" : "Live");
    if (!paused) pause = FAST;
    next(true);
  }

  find(".live-switch").addEventListener("click", () => {
    try { localStorage.setItem("live", paused ? "follows" : "paused"); } catch { /* it holds for this page */ }
    follow(!paused);
  });
  addEventListener("storage", ({ key, newValue }) => { if (key === "live" && !hasEnded) follow(newValue === "paused"); });
  document.addEventListener("visibilitychange", () => next(true));
  addEventListener("pageshow", ({ persisted }) => { if (persisted) next(true); });
  addEventListener("focusout", () => setTimeout(tryAgain));
  let hadMarked = false;
  document.addEventListener("selectionchange", () => {
    const isMarked = !getSelection().isCollapsed;
    if (hadMarked && !isMarked) setTimeout(tryAgain);
    hadMarked = isMarked;
  });
  // Somebody who is here wants to see it soon.
  for (const kind of ["pointerdown", "pointermove", "keydown", "wheel"]) {
    addEventListener(kind, () => {
      const wasIdle = seconds() - stirred > BRISK.at(-1)[0];
      stirred = seconds();
      if (wasIdle) { pause = FAST; next(true); }
    }, { passive: true });
  }
  follow(paused);
}
