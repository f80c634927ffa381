const people = document.getElementById('people');
const state = document.getElementById('state');

/** Answers never reject: they say whether it went well, and if not, why. */
async function show() {
  const answer = await window.tokenCache.accounts();
  if (!answer.ok) {
    state.textContent = answer.error.message;
    return;
  }
  const lines = answer.value.accounts.map((account) => {
    const line = document.createElement('li');
    const leave = document.createElement('button');
    leave.textContent = 'Sign out';
    leave.setAttribute('aria-label', `Sign out ${account.username || account.name}`);
    leave.onclick = async () => {
      const left = await window.tokenCache.signOut([account.id]);
      state.textContent = left.ok ? 'Signed out.' : left.error.message;
    };
    line.append(account.username || account.name || account.home_account_id, leave);
    return line;
  });
  people.replaceChildren(...lines);
}

document.getElementById('sign-in').onclick = async () => {
  state.textContent = 'Go on in your browser…';
  const answer = await window.desk.signIn();
  state.textContent = answer.ok ? 'Welcome.' : answer.error.message;
};

window.tokenCache.on('change', show);
await show();
