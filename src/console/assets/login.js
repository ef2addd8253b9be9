// Signing in by a link: the invitation stands behind the `#`, so that no server and no log sees it on its way.

const input = document.querySelector("input[name='token']");
const invitation = location.hash.slice(1);

if (input && invitation.startsWith("swi_")) {
  // Neither the address bar nor the history keeps it.
  history.replaceState(null, "", location.pathname + location.search);
  input.value = invitation;
  document.querySelector("h1").textContent = "Welcome to Switchboard";
  const help = document.querySelector(".help");
  if (help) help.textContent = "You were invited. The invitation is good once: this browser stays signed in for a day.";
  // One press: programs that look into mails for bad links run scripts too, and must not use it up.
  const go = document.querySelector("button");
  go.textContent = "Accept the invitation";
  go.focus();
} else if (input) {
  input.focus();
}
