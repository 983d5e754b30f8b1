// Say on the page why a passkey did not work; allauth's script tells the console only.
(function () {
  const ELSEWHERE = 'Passkeys work at https addresses and at http://localhost, not at a bare number such as 127.0.0.1. Open this page by its name.'
  const REASONS = {
    NotAllowedError: 'No passkey was used: it was cancelled, or took too long. Try again, or use your password.',
    InvalidStateError: 'This device holds a passkey for this account already.',
    NotSupportedError: 'This device can make no passkey of the kind that is asked for.',
    SecurityError: ELSEWHERE
  }
  document.addEventListener('allauth.error', function (event) {
    const place = document.getElementById('passkey-problem')
    if (!place) return
    const problem = event.detail.exception
    const absent = !window.isSecureContext || !window.PublicKeyCredential
    place.textContent = absent ? ELSEWHERE : REASONS[problem.name] || 'The passkey did not work (' + problem.message + '). Try again, or use your password.'
    place.hidden = false
    event.preventDefault()
  })
})()
