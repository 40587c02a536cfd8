// Light or dark: what was chosen here, else what the system prefers. Runs before anything is drawn.
(function () {
  "use strict";
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  function stored() {
    try {
      return window.localStorage.getItem("theme");
    } catch {
      return null; // storage is forbidden: the system decides
    }
  }
  function show() {
    document.documentElement.setAttribute("data-bs-theme", stored() || (dark.matches ? "dark" : "light"));
  }
  show();
  dark.addEventListener("change", show);
  window.addEventListener("storage", show);
})();
