// What style sheets cannot do: keyboards reach what scrolls sideways, and paper is white.
(function () {
  "use strict";
  const SCROLLS = [".pst-scrollable-table-container", "figure", "pre", "mjx-container[display=true]"]
    .map((part) => `.bd-article ${part}`)
    .join(", ");

  // A part that is wider than its place can be scrolled with the arrow keys once it has the focus.
  function reach() {
    for (const part of document.querySelectorAll(SCROLLS)) {
      const scrolls = part.scrollWidth > part.clientWidth + 1 && part.clientWidth > 0;
      if (scrolls) part.tabIndex = 0;
      else part.removeAttribute("tabindex");
    }
  }

  // A link that is a formula and nothing else is called by what the formula says.
  function nameFormulaLinks() {
    for (const link of document.querySelectorAll(".bd-article a:has(mjx-container)")) {
      const words = link.cloneNode(true);
      words.querySelectorAll("mjx-container").forEach((formula) => formula.remove());
      const formula = link.querySelector("mjx-assistive-mml");
      if (!words.textContent.trim() && formula) link.setAttribute("aria-label", formula.textContent);
    }
  }

  function whenReady() {
    // "Search Ctrl+K" is better than the label "Search" that hides it.
    const search = document.querySelector(".search-button-field");
    if (search) search.removeAttribute("aria-label");
    reach();
    window.addEventListener("resize", reach);
    // Formulas are set, and folded cells opened, after the page is there.
    if (window.MathJax && window.MathJax.startup) {
      window.MathJax.startup.promise.then(reach).then(nameFormulaLinks);
    }
    document.addEventListener("toggle", reach, true);
  }

  // On paper, dark pages are light and what is folded is open.
  let theme = "";
  let opened = [];
  window.addEventListener("beforeprint", () => {
    theme = document.documentElement.dataset.theme;
    document.documentElement.dataset.theme = "light";
    opened = [...document.querySelectorAll(".bd-article details:not([open])")];
    for (const part of opened) part.open = true;
  });
  window.addEventListener("afterprint", () => {
    document.documentElement.dataset.theme = theme;
    for (const part of opened) part.open = false;
  });

  window.addEventListener("load", whenReady);
})();
