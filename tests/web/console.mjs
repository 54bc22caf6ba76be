// SPDX-License-Identifier: GPL-2.0-or-later
// The web console as a person uses it, in headless Chromium. The guest is this
// program: over qtest it reads the keyboard controller's port and paints a
// coloured square for each key, and what was typed is read off the picture.
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import net from 'node:net';
import { chromium } from 'playwright-core';

const dir = process.argv[2], token = 'let me in, please';
const W = 640, H = 480, FB = 0xe0000000, SQUARE = 16;
const sleep = (ms) => new Promise((r) => setTimeout(r, ms));
let failed = 0;

function check(name, good, why) {
    console.log(`${good ? 'ok' : 'not ok'} web console: ${name}${good ? '' : ` (${why})`}`);
    failed += !good;
}

async function until(what, ms = 15000) {
    for (const end = Date.now() + ms; Date.now() < end; await sleep(50)) {
        const got = await what();
        if (got)
            return got;
    }
    return undefined;
}

// A socket of lines; `on` hears those nobody waits for.
async function dial(path) {
    const s = await until(() => new Promise((r) => {
        const c = net.connect(path, () => r(c));
        c.on('error', () => r(undefined));
    }));
    const waiting = [], lines = [];
    let text = '';
    s.on('data', (d) => {
        text += d;
        for (let at; (at = text.indexOf('\n')) >= 0; text = text.slice(at + 1)) {
            const line = text.slice(0, at);
            lines.push(line);
            if (waiting.length && !line.startsWith('IRQ') && !line.includes('"event"'))
                waiting.shift()(line);
        }
    });
    return { lines, end: () => s.end(), ask: (q) => new Promise((r) => { waiting.push(r); s.write(q + '\n'); }) };
}

function freePort() {
    return new Promise((r) => {
        const s = net.createServer().listen(0, '127.0.0.1', () => {
            const { port } = s.address();
            s.close(() => r(port));
        });
    });
}

async function setMode(guest) {
    const pci = async (reg, val) => {
        await guest.ask(`outl 0xcf8 ${0x80000000 + (2 << 11) + reg}`);
        await guest.ask(`outl 0xcfc ${val}`);
    };
    await pci(0x10, FB);
    await pci(0x04, 3);
    await guest.ask('outb 0x3c0 0x20');
    for (const [i, v] of [[4, 0], [1, W], [2, H], [3, 32], [4, 0x41]]) {
        await guest.ask(`outw 0x1ce ${i}`);
        await guest.ask(`outw 0x1cf ${v}`);
    }
    await guest.ask('outb 0x64 0x60'); // the controller translates to scan codes of set 1
    await guest.ask('outb 0x60 0x41');
    await guest.ask(`memset ${FB} ${W * H * 4} 0x20`);
}

const colour = (n, code) => 0x400000 | code << 8 | (n * 8 + 7);

// Paints square n in the colour of key press n, until told to stop.
async function guestLoop(guest, state) {
    for (; !state.stop; await sleep(2)) {
        await guest.ask('clock_step 2000000'); // the wire to the keyboard takes its time
        while (parseInt((await guest.ask('inb 0x64')).split(' ')[1], 16) & 1) {
            const code = parseInt((await guest.ask('inb 0x60')).split(' ')[1], 16);
            if (code & 0x80)
                continue;
            const n = state.codes.push(code) - 1;
            for (let y = 0; y < SQUARE; y++) {
                for (let x = 0; x < SQUARE; x++)
                    await guest.ask(`writel ${FB + (y * W + n * SQUARE + x) * 4} ${colour(n, code)}`);
            }
        }
    }
}

const pixel = (page, x, y) => page.evaluate(([px, py]) => {
    const c = document.querySelector('#screen canvas');
    const d = c.getContext('2d').getImageData(px, py, 1, 1).data;
    return d[0] << 16 | d[1] << 8 | d[2];
}, [x, y]);

const stateOf = (page) => page.evaluate(() => document.body.dataset.state);

async function typeALine(page, guest) {
    const state = { stop: false, codes: [] };
    const loop = guestLoop(guest, state);
    const line = 'portico 42', want = [25, 24, 19, 20, 23, 46, 24, 57, 5, 3, 28];
    await page.locator('#screen canvas').click();
    await page.keyboard.type(line, { delay: 20 });
    await page.keyboard.press('Enter');
    const seen = await until(async () => {
        const row = [];
        for (let n = 0; n < want.length; n++)
            row.push(await pixel(page, n * SQUARE + 5, 5));
        return row.every((p, n) => p === colour(n, want[n])) && row;
    });
    check('a line that is typed is read on the picture', seen, `keys ${state.codes}`);

    state.codes.length = 0;
    await page.click('#cad');
    const three = await until(() => state.codes.length >= 3 && state.codes);
    check('Ctrl-Alt-Del', three && [29, 56, 83].every((k) => three.includes(k)), `keys ${state.codes}`);

    state.codes.length = 0;
    await page.click('#paste');
    await page.fill('#to-type', 'Hi!');
    await page.click('#ask-text button[value=ok]');
    const typed = await until(() => state.codes.length >= 5 && [...state.codes]);
    check('a pasted text is typed as keys', String(typed) === '42,35,23,42,2', `keys ${state.codes}`);
    state.stop = true;
    await loop;
}

async function buttons(page, qmp, events) {
    for (const [button, event] of [['#power', 'POWERDOWN'], ['#eject', 'DEVICE_TRAY_MOVED'], ['#close-tray', 'DEVICE_TRAY_MOVED'], ['#reset', 'RESET']]) {
        const before = events(event);
        await sleep(100);
        await page.click(button);
        check(`the button ${button.slice(1)}`, await until(() => events(event) > before), `no ${event}`);
    }
    check('QMP still answers', (await qmp.ask('{"execute": "query-status"}')).includes('running'), 'it does not');
    await sleep(100);
    await page.click('#text');
    const answered = await until(() => page.evaluate(() => document.querySelector('#show-text').open || !document.querySelector('#note').hidden));
    check('the button text is answered', answered, 'nothing came');
    if (await page.evaluate(() => document.querySelector('#show-text').open))
        await page.click('#show-text button[value=ok]');
}

async function main() {
    fs.writeFileSync(`${dir}/token`, token + '\n');
    fs.writeFileSync(`${dir}/cd.iso`, Buffer.alloc(64 << 10));
    const port = await freePort();
    const dm = spawn(`${dir}/portico-dm`, ['-accel', 'qtest', '-machine', 'pc', '-m', '64', '-nodefaults', '-display', 'none', '-name', 'web test',
        '-device', 'VGA,vgamem_mb=16,addr=2', '-qtest', `unix:${dir}/qtest,server=on,wait=off`, '-qtest-log', 'none',
        '-drive', `file=${dir}/cd.iso,if=ide,index=2,media=cdrom,format=raw,readonly=on`,
        '-qmp', `unix:${dir}/qmp,server=on,wait=off`, '-object', `secret,id=t,file=${dir}/token`,
        '-web-console', `127.0.0.1:${port},token-secret=t`], { stdio: ['ignore', 'inherit', 'inherit'] });
    const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', headless: true,
        args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'] });
    try {
        const guest = await dial(`${dir}/qtest`), qmp = await dial(`${dir}/qmp`);
        const events = (name) => qmp.lines.filter((l) => l.includes(`"event": "${name}"`)).length;
        await until(() => qmp.lines.length);
        await qmp.ask('{"execute": "qmp_capabilities"}');
        await setMode(guest);

        const stranger = await browser.newPage();
        await stranger.goto(`http://127.0.0.1:${port}/?token=wrong`);
        check('a wrong token stays outside', await until(async () => await stateOf(stranger) === 'closed'), await stateOf(stranger));
        await stranger.close();

        const page = await browser.newPage();
        page.on('pageerror', (e) => check('the page has no error', false, e.message));
        await page.goto(`http://127.0.0.1:${port}/?token=${encodeURIComponent(token)}`);
        check('the page connects', await until(async () => await stateOf(page) === 'connected'), await stateOf(page));
        check('the picture', await until(async () => await pixel(page, 600, 400) === 0x202020), 'it is not the guest\'s');
        await typeALine(page, guest);

        const [download] = await Promise.all([page.waitForEvent('download', { timeout: 10000 }), page.click('#shot', { timeout: 10000 })]);
        const png = fs.readFileSync(await download.path());
        check('a screenshot is a PNG of the guest\'s size', png.readUInt32BE(16) === W && png.readUInt32BE(20) === H, download.suggestedFilename());
        await page.selectOption('#scaling', 'one');
        const size = await page.evaluate(() => document.querySelector('#screen canvas').getBoundingClientRect().width);
        check('unscaled, a pixel is a pixel', size === W, `${size}`);
        if (process.env.WEB_SHOT)
            await page.screenshot({ path: process.env.WEB_SHOT });
        await buttons(page, qmp, events);
        guest.end();
        qmp.end();
    } finally {
        await browser.close();
        dm.kill('SIGTERM');
    }
}

const deadline = setTimeout(() => { console.log('not ok web console: it takes too long'); process.exit(1); }, 110000);
await main().catch((e) => check('the test itself', false, e.message));
clearTimeout(deadline);
process.exit(failed ? 1 : 0);
