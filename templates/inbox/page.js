// Keeps the list as it is on the server. Without this script the start page reloads itself.
(() => {
  const list = document.getElementById("list");
  const offline = document.getElementById("offline");
  const clear = document.getElementById("clear");

  const refresh = async () => {
    const answer = await fetch(location.href, { cache: "no-store" });
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const fresh = page.getElementById("list");
    if (!fresh || fresh.innerHTML === list.innerHTML) return;
    const focused = list.contains(document.activeElement) && document.activeElement.getAttribute("href");
    list.replaceChildren(...fresh.childNodes);
    if (focused) list.querySelector(`a[href="${focused}"]`)?.focus();
  };

  const watch = async () => {
    if (!document.hidden) {
      offline.hidden = await refresh().then(() => true, () => false);
    }
    setTimeout(watch, 2000);
  };

  clear.hidden = false;
  clear.addEventListener("click", async () => {
    await fetch("/api/messages", { method: "DELETE" });
    location.assign("/");
  });
  setTimeout(watch, 2000);
})();
