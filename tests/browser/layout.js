// Layout errors: [error, element] for each. A page must not be wider than its window.
() => {
  const wrong = [];
  const shown = (element) => {
    const tag = element.tagName.toLowerCase();
    const classes = element.className?.baseVal ?? element.className;
    return `${tag}.${classes} in ${element.parentElement?.className} “${element.textContent.trim().slice(0, 40)}”`;
  };
  const wide = document.documentElement.scrollWidth - innerWidth;
  if (wide > 0) wrong.push([`sticks out sideways by ${wide} px`, "page"]);
  const isDesk = innerWidth > 760;
  for (const element of document.querySelectorAll("header *, main *, dialog *")) {
    if (!element.checkVisibility({ opacityProperty: true, visibilityProperty: true })) continue;
    if (element.closest(".visually-hidden, svg, option, datalist, select, .reason, input, textarea")) continue;
    const style = getComputedStyle(element);
    if (style.display === "inline" || element.clientWidth === 0) continue;
    const isClamped = style.webkitLineClamp !== "none" && element.scrollHeight > element.clientHeight + 1;
    if (isClamped && !element.title) wrong.push(["is cut", shown(element)]);
    const over = element.scrollWidth - element.clientWidth;
    if (over <= 8) continue; // hover backgrounds extend a little over the edges
    // Tooltips of buttons lie over the page and are transparent until hovered.
    if (element.querySelector(".reason")) continue;
    const overflow = style.overflowX;
    if (overflow === "visible") {
      // Report only the deepest element; its containers overflow too.
      const deeper = [...element.children].some((child) => child.scrollWidth > element.clientWidth);
      if (!deeper) wrong.push([`spills by ${over} px`, shown(element)]);
    } else if (overflow === "hidden" || overflow === "clip") {
      // An ellipsis is allowed if the title shows the whole text.
      if (!element.closest("[title]") && style.clipPath === "none") wrong.push(["is cut", shown(element)]);
    } else if (isDesk && element.matches(".table-scroll")) {
      wrong.push([`pushes columns off by ${over} px`, element.getAttribute("aria-label")]);
    } else if (!element.matches("[tabindex], [tabindex] *")) {
      wrong.push(["cannot be scrolled by keyboard", shown(element)]);
    }
  }
  return wrong;
}
