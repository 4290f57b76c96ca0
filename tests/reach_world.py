"""What axe-core does not judge of a page: keys alone, 400 % zoom, spaced text, sizes, motion, and foreign directions.

By numbers of WCAG 2.2: 1.4.10 (reflow), 1.4.12 (text spacing), 2.1.1 and 2.1.2 (keyboard, no trap), 2.3.3 (motion),
2.4.3 (focus order), 2.4.7 and 2.4.11 (focus is seen, and not behind something), 2.5.8 (target size).
"""

from typing import cast

from tests.browser_world import Seen

ZOOMED = (320, 256)
"""What is left of 1280 by 1024 pixels at 400 %."""

LEAST_TARGET = 24

_FOUND = """
window.reach = {};
reach.shown = each => each.checkVisibility({visibilityProperty: true}) && each.getClientRects().length > 0;
reach.said = each => each.outerHTML.slice(0, 120).replace(/\\s+/g, " ");
reach.stops = () => {
  const found = [...document.querySelectorAll("a[href], button, input, select, textarea, summary, [tabindex='0']")]
    .filter(each => !each.disabled && each.type !== "hidden" && each.tabIndex >= 0 && reach.shown(each));
  const groups = new Set();  // of radio buttons the keys stop at one: the chosen, or the first
  return found.filter(each => {
    if (each.type !== "radio") return true;
    const all = found.filter(one => one.type === "radio" && one.name === each.name && one.form === each.form);
    const stop = all.find(one => one.checked) || all[0];
    if (each !== stop || groups.has(stop)) return false;
    return groups.add(stop);
  });
};
"""

_MARKED = """() => {
  [reach.order, reach.seen] = [reach.stops(), []];
  document.activeElement.blur();
  return reach.order.length;
}"""

_AT = """() => {
  const each = document.activeElement, wrong = [];
  if (!each || each === document.body || each === document.documentElement) return null;
  const place = reach.order.indexOf(each), style = getComputedStyle(each);
  if (place < 0) wrong.push("is no stop that was expected");
  const ring = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2;
  if (!ring) wrong.push("does not show that it has the focus");
  const places = [[.5, .5], [.1, .5], [.9, .5], [.5, .1], [.5, .9]];
  const seen = [...each.getClientRects()].some(line => places.some(([x, y]) => {
    const top = document.elementFromPoint(line.left + line.width * x, line.top + line.height * y);
    return top && (top === each || each.contains(top));
  }));
  if (!seen) wrong.push("is behind something, or out of sight, when it has the focus");
  const before = reach.seen.length ? reach.seen[reach.seen.length - 1] : -1;
  if (place >= 0 && place !== before + 1) wrong.push(`comes after stop ${before} and is stop ${place}`);
  reach.seen.push(place);
  return wrong.map(what => `${reach.said(each)} ${what}`);
}"""

_STAYS = "() => reach.order.indexOf(document.activeElement) === reach.order.length - 1"

_SMALL = """least => {
  const all = [...document.querySelectorAll("a[href], button, input, select, textarea, summary")]
    .filter(each => !each.disabled && each.type !== "hidden" && reach.shown(each) && !each.matches(".skip"));
  const boxes = all.map(each => {
    const label = each.matches("[type=checkbox], [type=radio]") && each.labels && each.labels[0];
    const boxes = [each, ...(label ? [label] : [])].map(one => one.getBoundingClientRect());
    return boxes.reduce((a, b) => a.width * a.height >= b.width * b.height ? a : b);
  });
  const small = box => box.width < least - .01 || box.height < least - .01;
  const inText = each => {
    if (getComputedStyle(each).display !== "inline") return false;
    let block = each.parentElement;
    while (getComputedStyle(block).display.startsWith("inline")) block = block.parentElement;
    return block.innerText.trim().length > each.innerText.trim().length;
  };
  const centre = box => [box.left + box.width / 2, box.top + box.height / 2];
  const crowded = (box, of) => all.some((other, at) => {
    if (at === of) return false;
    const [x, y] = centre(box), next = boxes[at];
    if (small(next)) { const [u, v] = centre(next); return Math.hypot(x - u, y - v) < least; }
    const dx = Math.max(next.left - x, 0, x - next.right), dy = Math.max(next.top - y, 0, y - next.bottom);
    return Math.hypot(dx, dy) < least / 2;
  });
  return all.filter((each, at) => small(boxes[at]) && !inText(each) && crowded(boxes[at], at))
    .map((each) => `${reach.said(each)} is smaller than ${least} pixels and close to another`);
}"""

_MOVES = """() => [...document.querySelectorAll("*")].filter(each => {
  const style = getComputedStyle(each), long = said => said.split(",").some(one => parseFloat(one) > 0);
  return long(style.transitionDuration) || style.animationName !== "none" || style.scrollBehavior === "smooth";
}).map(each => `${reach.said(each)} moves for whoever asked for less motion`)"""

_SPACED = """() => {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(`* { line-height: 1.5 !important; letter-spacing: .12em !important; }
    * { word-spacing: .16em !important; } p { margin-bottom: 2em !important; }`);
  document.adoptedStyleSheets = [sheet];
  const cut = [...document.querySelectorAll("main *")].filter(each => {
    const style = getComputedStyle(each);
    const more = each.scrollHeight > each.clientHeight + 1 || each.scrollWidth > each.clientWidth + 1;
    return more && style.overflow === "hidden" && reach.shown(each) &&
      !each.matches(".unseen, textarea, input, select, svg, svg *");
  });
  return cut.map(each => `${reach.said(each)} is cut off when its text is spaced`);
}"""
_UNSPACED = "() => { document.adoptedStyleSheets = []; }"

_TURNED = """foreign => {
  const wrong = [], isolates = each => {
    const style = getComputedStyle(each);
    return /isolate|plaintext/.test(style.unicodeBidi) || style.display !== "inline";
  };
  const inside = (each, said) => {  // what stands in the same run of text, in order
    for (const one of each.childNodes) {
      if (one.nodeType === Node.TEXT_NODE) said.push(one.data);
      else if (one.nodeType === Node.ELEMENT_NODE && !isolates(one) && one.tagName !== "BR") inside(one, said);
    }
    return said;
  };
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const judged = new Set();
  for (let text = walk.nextNode(); text; text = walk.nextNode()) {
    if (!text.data.includes("\\u202e") || /^(SCRIPT|TEXTAREA|OPTION)$/.test(text.parentElement.tagName)) continue;
    let run = text.parentElement;
    while (!isolates(run)) run = run.parentElement;
    if (judged.has(run)) continue;
    judged.add(run);
    const ours = inside(run, []).join(" ").split("\\u202e").slice(1)
      .map(after => after.slice(foreign.length)).join(" ");  // what stands behind the foreign words
    if (/[\\p{L}\\p{N}]/u.test(ours)) wrong.push(`${reach.said(run)} turns “${ours.trim().slice(0, 60)}” around`);
  }
  return wrong;
}"""


def prepared(seen: Seen) -> None:
    """Put what judges into the page."""
    seen.page.evaluate(_FOUND)


def by_keys_alone(seen: Seen) -> list[str]:
    """What is wrong when somebody walks through a page with the tabulator: order, what is seen of it, and its end."""
    wrong: list[str] = []
    stops = cast("int", seen.page.evaluate(_MARKED))
    for _ in range(stops):
        seen.page.keyboard.press("Tab")
        found = cast("list[str] | None", seen.page.evaluate(_AT))
        if found is None:
            return [*wrong, "the keys leave the page before its end"]
        wrong += found
    seen.page.keyboard.press("Tab")
    if stops > 1 and seen.page.evaluate(_STAYS):
        wrong.append("the keys do not get out of the last stop")
    return wrong


def too_small(seen: Seen) -> list[str]:
    """Targets below 24 by 24 pixels that have not the space around them that would make up for it."""
    return cast("list[str]", seen.page.evaluate(_SMALL, LEAST_TARGET))


def moving(seen: Seen) -> list[str]:
    """What moves in a browser that asks for reduced motion."""
    return cast("list[str]", seen.page.evaluate(_MOVES))


def zoomed(seen: Seen) -> list[str]:
    """What stands out at 400 %, and what does so or is cut off when the text is spaced besides."""
    before = seen.page.viewport_size
    seen.page.set_viewport_size({"width": ZOOMED[0], "height": ZOOMED[1]})
    wrong = [f"{each} stands out at 400 %" for each in seen.wider()]
    wrong += cast("list[str]", seen.page.evaluate(_SPACED))
    wrong += [f"{each} stands out at 400 %, its text spaced" for each in seen.wider()]
    seen.page.evaluate(_UNSPACED)
    assert before is not None
    seen.page.set_viewport_size(before)
    return wrong


def turned(seen: Seen, foreign: str) -> list[str]:
    """Words of ours that run from right to left because somebody typed U+202E before them.

    Args:
        seen: at a page.
        foreign: what stands behind that character where somebody typed it.
    """
    return cast("list[str]", seen.page.evaluate(_TURNED, foreign))
