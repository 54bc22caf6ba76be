// SPDX-License-Identifier: GPL-2.0-or-later
// The web console: noVNC's picture, and buttons around it. One WebSocket
// carries both: binary messages are RFB, text messages are ours (console.c).
import RFB from './novnc/core/rfb.js';

const $ = (id) => document.getElementById(id);
const token = new URLSearchParams(location.search).get('token') || '';

const CTRL = [0xffe3, 'ControlLeft'], ALT = [0xffe9, 'AltLeft'], SUPER = [0xffeb, 'MetaLeft'];
const COMBOS = {
    'Ctrl-Alt-Backspace': [CTRL, ALT, [0xff08, 'Backspace']],
    'Alt-Tab': [ALT, [0xff09, 'Tab']],
    'Alt-F4': [ALT, [0xffc1, 'F4']],
    'Ctrl-Esc': [CTRL, [0xff1b, 'Escape']],
    'Windows': [SUPER],
    'Windows-R': [SUPER, [0x72, 'KeyR']],
    'Print Screen': [[0xff61, 'PrintScreen']],
    'Alt-SysRq-B': [ALT, [0xff15, 'PrintScreen'], [0x62, 'KeyB']],
    'Scroll Lock': [[0xff14, 'ScrollLock']],
    'Pause': [[0xff13, 'Pause']],
};
for (let n = 1; n <= 12; n++)
    COMBOS['Ctrl-Alt-F' + n] = [CTRL, ALT, [0xffbd + n, 'F' + n]];

// What noVNC takes for a WebSocket; it sees the binary messages only.
class Channel {
    constructor(url, onText) {
        this.onopen = this.onmessage = this.onclose = this.onerror = null;
        this._ws = new WebSocket(url, ['binary']);
        this._ws.binaryType = 'arraybuffer';
        this._ws.onopen = (e) => this.onopen && this.onopen(e);
        this._ws.onclose = (e) => this.onclose && this.onclose(e);
        this._ws.onerror = (e) => this.onerror && this.onerror(e);
        this._ws.onmessage = (e) => {
            if (typeof e.data === 'string')
                onText(e.data);
            else if (this.onmessage)
                this.onmessage(e);
        };
    }
    get binaryType() { return 'arraybuffer'; }
    set binaryType(type) { this._ws.binaryType = type; }
    get protocol() { return this._ws.protocol; }
    get readyState() { return this._ws.readyState; }
    send(data) { this._ws.send(data); }
    close() { this._ws.close(); }
}

let rfb, channel, noteTimer;

function note(text, good) {
    $('note').textContent = text;
    $('note').className = good ? 'good' : '';
    $('note').hidden = false;
    clearTimeout(noteTimer);
    noteTimer = setTimeout(() => { $('note').hidden = true; }, 5000);
}

function setState(state) {
    document.body.dataset.state = state;
    $('state').textContent = state;
    for (const e of document.querySelectorAll('#tools button, #tools select'))
        e.disabled = state !== 'connected';
}

// "WORD ok" or "WORD failed", a newline, and a text for whoever pressed.
function onAnswer(data) {
    const end = data.indexOf('\n');
    const [word, how] = data.slice(0, end).split(' ');
    const text = data.slice(end + 1);
    if (how !== 'ok')
        note(`${word}: ${text || 'did not work'}`);
    else if (word === 'text')
        showText(text);
    else
        note(text || `${word}: done`, true);
}

function showText(text) {
    $('screen-text').textContent = text;
    $('show-text').showModal();
}

async function askPassword() {
    const dialog = $('ask-password');
    $('password').value = '';
    dialog.showModal();
    await new Promise((done) => dialog.addEventListener('close', done, { once: true }));
    rfb.sendCredentials({ username: 'portico', password: $('password').value });
    $('password').value = '';
}

function scale() {
    const how = $('scaling').value;
    rfb.scaleViewport = how === 'fit';
    rfb.resizeSession = how === 'guest';
}

function connect() {
    const url = new URL('websockify', location.href);
    url.protocol = location.protocol === 'https:' ? 'wss:' : 'ws:';
    url.search = token ? 'token=' + encodeURIComponent(token) : '';
    setState('connecting');
    channel = new Channel(url, onAnswer);
    rfb = new RFB($('screen'), channel, { shared: true });
    rfb.background = '#0d1218';
    scale();
    rfb.addEventListener('connect', () => { setState('connected'); rfb.focus(); });
    rfb.addEventListener('credentialsrequired', askPassword);
    rfb.addEventListener('securityfailure', (e) => note(e.detail.reason || 'not let in'));
    rfb.addEventListener('desktopname', (e) => {
        $('name').textContent = document.title = e.detail.name;
    });
    rfb.addEventListener('disconnect', (e) => {
        setState('closed');
        if (!e.detail.clean)
            note('The connection was lost, or not allowed. Reload the page to try again.');
    });
}

function sendCombo(keys) {
    for (const [sym, code] of keys)
        rfb.sendKey(sym, code, true);
    for (const [sym, code] of [...keys].reverse())
        rfb.sendKey(sym, code, false);
    rfb.focus();
}

function screenshot() {
    $('screen').querySelector('canvas').toBlob((blob) => {
        const a = document.createElement('a');
        a.href = URL.createObjectURL(blob);
        a.download = `${document.title}-${new Date().toISOString().replace(/[:.]/g, '-')}.png`;
        a.click();
        setTimeout(() => URL.revokeObjectURL(a.href), 10000);
    }, 'image/png');
}

for (const name of Object.keys(COMBOS))
    $('combo').add(new Option(name, name));
for (const word of ['reset', 'power', 'eject', 'close-tray', 'text'])
    $(word).addEventListener('click', () => { channel.send(word); rfb.focus(); });
$('cad').addEventListener('click', () => sendCombo([CTRL, ALT, [0xffff, 'Delete']]));
$('combo').addEventListener('change', (e) => {
    if (e.target.value)
        sendCombo(COMBOS[e.target.value]);
    e.target.value = '';
});
$('shot').addEventListener('click', screenshot);
$('scaling').addEventListener('change', scale);
$('full').addEventListener('click', () => $('screen').requestFullscreen().then(() => rfb.focus()));
$('paste').addEventListener('click', () => { $('ask-text').returnValue = ''; $('ask-text').showModal(); });
$('ask-text').addEventListener('close', () => {
    if ($('ask-text').returnValue === 'ok' && $('to-type').value)
        channel.send('type ' + $('to-type').value);
    $('to-type').value = '';
    rfb.focus();
});
$('copy-text').addEventListener('click', () => navigator.clipboard.writeText($('screen-text').textContent));
connect();
