// Filters and pages of the document browser; without this script all documents are shown.
(() => {
  "use strict";
  const PAGE = 25;

  for (const browser of document.querySelectorAll(".browser")) {
    const form = browser.querySelector(".filters");
    const articles = [...browser.querySelectorAll("article")];
    const keys = articles.map((article) => article.dataset.f.split(" ").map((key) => key.split(".")));
    let texts = null;
    let chosen = articles;
    let first = 0;

    const textOf = (article) => [article.querySelector("h3").firstChild.data,
      ...[...article.querySelectorAll(".gold, .plain")].map(
        (line) => [...line.childNodes].filter((node) => !node.matches || !node.matches("b, .same"))
          .map((node) => node.textContent).join(""))].join("\n").toLowerCase();

    const choose = () => {
      const system = form.elements.system.value;
      const label = form.elements.label.value;
      const words = form.elements.text.value.trim().toLowerCase();
      const outcomes = [...form.querySelectorAll("[name=outcome]:checked")].map((box) => box.value);
      if (words && !texts) texts = articles.map(textOf);
      const fits = (key) => (!system || key[0] === system) && (!outcomes.length || outcomes.includes(key[1]))
        && (!label || key[2] === label);
      const asked = label || outcomes.length;
      chosen = articles.filter((_, place) => (!asked || keys[place].some(fits))
        && (!words || texts[place].includes(words)));
      for (const row of browser.querySelectorAll("[data-s]")) row.hidden = Boolean(system) && row.dataset.s !== system;
      first = 0;
      show();
    };

    const show = () => {
      const shown = new Set(chosen.slice(first, first + PAGE));
      for (const article of articles) article.hidden = !shown.has(article);
      const last = Math.min(first + PAGE, chosen.length);
      form.querySelector("output").textContent = chosen.length
        ? `${first + 1}–${last} of ${chosen.length} documents` : "no document";
      form.elements.back.disabled = first === 0;
      form.elements.on.disabled = last === chosen.length;
    };

    const turn = (step) => {
      first += step * PAGE;
      show();
      browser.scrollIntoView();
    };

    let waiting = 0;
    form.addEventListener("input", () => { clearTimeout(waiting); waiting = setTimeout(choose, 80); });
    form.addEventListener("reset", () => setTimeout(choose));
    form.addEventListener("submit", (event) => event.preventDefault());
    form.elements.back.addEventListener("click", () => turn(-1));
    form.elements.on.addEventListener("click", () => turn(1));
    // A link to a document clears filters that hide it and turns to its page.
    const follow = () => {
      const wanted = articles.findIndex((article) => `#${article.id}` === location.hash);
      if (wanted < 0) return;
      if (!chosen.includes(articles[wanted])) {
        form.reset();
        setTimeout(follow);
        return;
      }
      first = Math.floor(chosen.indexOf(articles[wanted]) / PAGE) * PAGE;
      show();
      articles[wanted].scrollIntoView();
    };

    addEventListener("hashchange", follow);
    browser.classList.add("paged");
    form.hidden = false;
    choose();
    follow();

    // Paper has no next page to turn to: what the filters chose is printed whole.
    addEventListener("beforeprint", () => {
      const all = new Set(chosen);
      for (const article of articles) article.hidden = !all.has(article);
    });
    addEventListener("afterprint", show);
  }
})();
