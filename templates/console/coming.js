// Moves the token of a link from the address bar, where it would stay in the history, into the
// command. Anybody can put any text behind a #, and the command is for a shell: nothing but a
// well-formed token gets there.
(() => {
  const command = document.getElementById("command");
  if (!command) return;
  const template = command.textContent;
  const token = new RegExp(`^#(${command.dataset.prefix}[A-Za-z0-9_-]{80})$`);

  const takeToken = () => {
    const [, found] = token.exec(location.hash) ?? [];
    if (location.hash) history.replaceState(null, "", location.pathname);
    command.textContent = found ? template.replace('"TOKEN"', `"${found}"`) : template;
    document.getElementById("taken").hidden = !found;
    document.getElementById("no-token").hidden = Boolean(found);
  };

  takeToken();
  // A second link in the same window changes nothing but the fragment.
  addEventListener("hashchange", takeToken);
})();
