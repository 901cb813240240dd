// What pages do better with a script. Each works without one, but that a link's token then has to be pasted.
(() => {
  "use strict";
  const all = (selector, act) => document.querySelectorAll(selector).forEach(act);

  // A token leaves the address bar, and with it the history, before anything else is done.
  const takeToken = (form) => {
    const [, token] = /^#(rl[tc]1_[A-Za-z0-9_-]{80})$/.exec(location.hash) ?? [];
    if (location.hash) history.replaceState(null, "", location.pathname);
    if (!token) return;
    form.elements.token.value = token;
    form.querySelectorAll("[data-by-hand]").forEach((part) => { part.hidden = true; });
    form.querySelectorAll("[data-by-link]").forEach((part) => { part.hidden = false; });
    form.requestSubmit();
  };
  all("form[data-link]", (form) => {
    takeToken(form);
    // A second link in the same window changes nothing but the fragment.
    addEventListener("hashchange", () => takeToken(form));
  });

  const post = async (path, form, fields) => {
    const body = new URLSearchParams({ form: form.elements.form.value, ...fields });
    if (form.elements.token) body.set("token", form.elements.token.value);
    const answer = await fetch(path, { method: "POST", body, headers: { accept: "application/json" } });
    return { ok: answer.ok, told: await answer.json() };
  };

  all("button[data-show]", (button) => {
    button.hidden = false;
    button.addEventListener("click", () => {
      const field = document.getElementById(button.getAttribute("aria-controls"));
      const shown = field.type === "password";
      field.type = shown ? "text" : "password";
      button.setAttribute("aria-pressed", String(shown));
    });
  });

  // The rules as a checklist: lengths at once, the rest by Relatch when somebody pauses.
  all("input[data-check]", (field) => {
    const rules = document.getElementById("rules");
    const meter = document.getElementById("meter");
    const words = document.getElementById("strength");
    const mark = (rule, kept) => {
      rule.classList.toggle("kept", kept === true);
      rule.classList.toggle("broken", kept === false);
      const state = kept === undefined ? "" : rules.dataset[kept ? "kept" : "broken"];
      rule.querySelector(".hidden-from-eyes").textContent = state;
    };
    let asked = 0;
    const judge = async (password) => {
      const mine = ++asked;
      if (!password) return;
      const { ok, told } = await post(field.dataset.check, field.form, { password }).catch(() => ({}));
      if (!ok || mine !== asked) return;
      for (const rule of rules.children) {
        if (!rule.dataset.least) mark(rule, !told.violations.includes(rule.dataset.rule));
      }
      meter.value = told.score + 1;
      words.textContent = [told.strength, ...told.suggestions].join(" ");
    };
    let pause;
    field.addEventListener("input", () => {
      const length = [...field.value.normalize("NFC")].length;
      for (const rule of rules.children) {
        mark(rule, rule.dataset.least && length ? length >= Number(rule.dataset.least) : undefined);
      }
      clearTimeout(pause);
      asked += 1;
      if (!length) {
        meter.value = 0;
        words.textContent = "";
      } else {
        pause = setTimeout(() => judge(field.value), 600);
      }
    });
    meter.parentElement.hidden = false;
  });

  all("input[data-repeats]", (field) => {
    const first = document.getElementById(field.dataset.repeats);
    const compare = () => {
      field.setCustomValidity(field.value && field.value !== first.value ? field.dataset.differs : "");
    };
    field.addEventListener("input", compare);
    first.addEventListener("input", compare);
  });

  const count = (button, seconds) => {
    const words = button.dataset.words ??= button.textContent;
    button.disabled = seconds > 0;
    button.textContent = seconds > 0 ? `${words} (${seconds})` : words;
    if (seconds > 0) setTimeout(() => count(button, seconds - 1), 1000);
  };
  all("button[data-wait]", (button) => count(button, Number(button.dataset.wait)));

  // A code is sent without losing the password that was typed.
  all("button[data-send]", (button) => button.addEventListener("click", async (event) => {
    event.preventDefault();
    button.disabled = true;
    const { told } = await post(button.dataset.send, button.form, {}).catch(() => ({}));
    const words = document.getElementById("code-told");
    words.textContent = told ? told.told ?? told.problem : button.dataset.failed;
    count(button, told?.wait ?? 5);
    if (!told?.told) return;
    const code = document.getElementById("code");
    document.getElementById("code-error")?.remove();
    code.removeAttribute("aria-invalid");
    code.focus();
  }));

  all("[data-until]", (words) => {
    const tell = () => {
      // In whole seconds, the last of which is not over when it begins.
      const left = Number(words.dataset.until) - Date.now() / 1000;
      const minutes = left > -1 ? Math.max(1, Math.ceil(left / 60)) : 0;
      const told = ["over", "last"][minutes] ?? "left";
      words.textContent = words.dataset[told].replace("{}", minutes);
      document.getElementById("over").hidden = minutes > 0;
      if (minutes) setTimeout(tell, Math.min(left + 1, 15) * 1000);
    };
    tell();
  });
})();
