"""The look of a picture, which it carries along: a saved notebook has nothing else to ask.

Colours are JupyterLab's variables. Where there are none, the text keeps the colour of the page and the rest
has values that are legible on white and on black alike, because nothing says what a page's background is.
"""

from __future__ import annotations

import hashlib

_RULES = """
@ {color:var(--jp-content-font-color1,inherit);font:13px/1.5 var(--jp-ui-font-family,system-ui,sans-serif);
 font-variant-numeric:tabular-nums;max-width:1180px;--line:var(--jp-border-color2,rgba(128,128,128,.28));
 --bad:var(--jp-error-color1,#dc3530);--warn:var(--jp-warn-color0,#b06018);--good:var(--jp-success-color1,#2e8540);
 --ks:var(--jp-brand-color1,#3b7fc4);--kn:#2a9d8f;--kc:#8b6fc9;--kt:#b8699f;--kp:#8a9a3b;--ko:#8a8a8a}
@ [hidden]{display:block!important}
@ .t .g[hidden]{display:table-cell!important}
@ p{margin:0 0 4px}
@ .h{font-size:14px}
@ .m{opacity:.72;font-size:12px}
@ .s{margin-left:14px;white-space:nowrap;font-weight:400;font-size:12px}
@ .s i{display:inline-block;width:9px;height:9px;border-radius:2px;margin-right:5px}
@ .bad{color:var(--bad);font-weight:600}
@ .near{font-weight:600}
@ .near i{color:var(--warn);font-style:normal}
@ .ok{color:var(--good)}
@ .note{border-left:3px solid var(--warn);padding:4px 10px;margin:8px 0}
@ .note.e{border-color:var(--bad)}
@ .o{overflow-x:auto;margin:8px 0 4px}
@ table.t.t{border-collapse:collapse;border-spacing:0;table-layout:auto;margin:0;font:inherit;
 font-size:12px;border:0;color:inherit}
@ table.w{width:100%}
@ .t caption{caption-side:top;text-align:left;font-weight:600;padding:6px 0 2px;font-size:13px;color:inherit}
@ .t.t.t tr,@ .t.t.t tr:hover{background:none}
@ .t.t.t tbody tr:hover td{background:rgba(128,128,128,.09)}
@ .t.t.t td,@ .t.t.t th{padding:0 12px 0 0;line-height:24px;text-align:left;white-space:nowrap;border:0;
 vertical-align:middle;max-width:340px;overflow:hidden;text-overflow:ellipsis;background:none}
@ .t.t.t th{font-weight:400;opacity:.72;border-bottom:1px solid var(--line)}
@ .t.t.t .n{text-align:right}
@ .t.t.t .g{padding:0 12px 0 0;min-width:120px;overflow:visible}
@ .t.t.w .b{width:34%}
@ .t.t.w .c{width:50%;min-width:180px}
@ .t.t.t td.b{background:linear-gradient(90deg,transparent 79.6%,var(--line) 79.6% calc(79.6% + 1px),transparent 0)
 content-box}
@ .t.t.t td.c{background:repeating-linear-gradient(90deg,var(--line) 0 1px,transparent 1px var(--step)) content-box}
@ .t.t.t td.x{width:100%;white-space:pre-wrap;overflow-wrap:anywhere;max-width:none;
 line-height:1.5;padding:3px 12px 3px 0;vertical-align:top}
@ .t.t.t .l td{line-height:1.5;padding:2px 12px 2px 0;vertical-align:top}
@ .t.t.t .gap td{opacity:.6;line-height:18px}
@ .ax{position:relative;height:24px;display:block}
@ .ax span{position:absolute;transform:translateX(-50%)}
@ .ax span:first-child{transform:none}
@ .ax span:last-child{transform:translateX(-100%)}
@ svg{display:block;overflow:visible}
@ figure{margin:10px 0}
@ figcaption{font-weight:600;margin-bottom:4px}
@ svg text{font-size:11px;fill:currentColor;opacity:.75}
@ .ks{fill:var(--ks);background:var(--ks)}@ .kn{fill:var(--kn);background:var(--kn)}
@ .kc{fill:var(--kc);background:var(--kc)}@ .kt{fill:var(--kt);background:var(--kt)}
@ .kp{fill:var(--kp);background:var(--kp)}@ .ko{fill:var(--ko);background:var(--ko)}
@ .lim{stroke:currentColor;stroke-width:1.5}
@ .tk{stroke:var(--line)}
@ .out{fill:none;stroke:var(--bad);stroke-width:1.5}
@ .out.w{stroke:var(--warn)}
@ .run{fill:#8c8c8c;stroke:#8c8c8c}
@ .run.f{fill:var(--bad);stroke:var(--bad)}
@ .arr{stroke:currentColor;opacity:.4;fill:none;vector-effect:non-scaling-stroke}
@ .mb{fill:var(--bad)}@ .mw{fill:var(--warn)}
@ pre{margin:4px 0;padding:8px 10px;font:12px/1.45 var(--jp-code-font-family,ui-monospace,monospace);
 color:inherit;background:rgba(128,128,128,.1);border:0;white-space:pre-wrap;overflow-wrap:anywhere;
 word-break:normal;
 max-height:360px;overflow:auto}
@ code,@ .t.t.t .d{font-family:var(--jp-code-font-family,ui-monospace,monospace);font-size:12px;
 color:inherit;background:none}
@ details{margin:8px 0}
@ summary{cursor:pointer;font-weight:600}
@ details[open]>summary{margin-bottom:4px}
"""

# Named for what it says, so that outputs of two versions in one notebook keep to their own.
CLASS = "plot-nb-" + hashlib.blake2b(_RULES.encode(), digest_size=3).hexdigest()
CSS = _RULES.strip().replace("\n ", "").replace("@ ", f".{CLASS} ").replace(f".{CLASS} {{", f".{CLASS}{{")


def page(*parts: str) -> str:
    """One output: the parts below each other, with the look that they need.

    `mathjax_ignore` and `tex2jax_ignore` keep a twist's dollar signs from being typeset.
    """
    body = "\n".join(part for part in parts if part)
    return f'<div class="{CLASS} mathjax_ignore tex2jax_ignore">\n<style>{CSS}</style>\n{body}\n</div>'


def grid(head: str, rows: list[str], *, caption: str = "", wide: bool = False, step: str = "") -> str:
    """A table, which scrolls by itself where it is too wide.

    Args:
        head: The cells of the head, as markup.
        rows: The rows, as markup.
        caption: As markup.
        wide: Whether it takes the width there is.
        step: The distance of the lines behind its lanes, in percent.
    """
    kind = " w" if wide else ""
    above = f"<caption>{caption}</caption>" if caption else ""
    lines = f' style="--step:{step}"' if step else ""
    body = "\n".join(rows)
    return (
        f'<div class="o"><table class="t{kind}"{lines}>{above}<thead><tr>{head}</tr></thead>\n'
        f"<tbody>{body}</tbody></table></div>"
    )
