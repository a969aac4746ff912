"use strict";
(function () {
  const root = document.documentElement;
  const search = document.getElementById("search");
  const count = document.getElementById("count");
  const button = document.getElementById("theme");
  const items = Array.from(document.querySelectorAll("[data-find]"));
  const stacks = Array.from(document.querySelectorAll("details.stack"));
  const findings = Array.from(document.querySelectorAll("article.finding"));
  const before = stacks.map((stack) => stack.open);
  const texts = items.map((item) => item.textContent.toLowerCase());

  function dark() {
    const theme = root.dataset.theme;
    return theme ? theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  }
  function label() {
    button.textContent = dark() ? "Light" : "Dark";
  }
  function turn() {
    root.dataset.theme = dark() ? "light" : "dark";
    label();
  }

  function filter() {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    let hits = 0;
    items.forEach((item, index) => {
      const hit = words.every((word) => texts[index].includes(word));
      item.hidden = !hit;
      if (hit && item.matches("article, tr.row")) hits += 1;
    });
    stacks.forEach((stack, index) => {
      const some = stack.querySelector("[data-find]:not([hidden])");
      stack.hidden = words.length > 0 && !some && !stack.dataset.name.includes(words.join(" "));
      stack.open = words.length > 0 ? Boolean(some) : before[index];
    });
    count.textContent = words.length > 0 ? hits + (hits === 1 ? " match" : " matches") : "";
  }

  function show(target) {
    const stack = target.closest("details.stack");
    if (stack) stack.open = true;
    target.scrollIntoView({ block: "start" });
    target.focus({ preventScroll: true });
  }
  function step(by) {
    const seen = findings.filter((finding) => !finding.hidden);
    if (seen.length === 0) return;
    const at = seen.indexOf(document.activeElement);
    show(seen[at < 0 ? (by > 0 ? 0 : seen.length - 1) : (at + by + seen.length) % seen.length]);
  }
  function follow() {
    let target = null;
    try {
      target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    } catch (error) {
      return;
    }
    if (target) show(target);
  }

  search.addEventListener("input", filter);
  button.addEventListener("click", turn);
  addEventListener("hashchange", follow);
  addEventListener("beforeprint", () => stacks.forEach((stack) => { stack.open = true; }));
  addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target === search) {
      if (event.key === "Escape") {
        search.value = "";
        filter();
        search.blur();
      }
      return;
    }
    const keys = { "/": () => search.focus(), n: () => step(1), p: () => step(-1), t: turn };
    if (Object.hasOwn(keys, event.key)) {
      event.preventDefault();
      keys[event.key]();
    }
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", label);
  document.querySelectorAll("[data-script]").forEach((each) => { each.hidden = false; });
  label();
  filter();
  if (location.hash) follow();
})();
