// SPDX-License-Identifier: GPL-2.0-or-later
// Stands where noVNC would be, for tests of the web port.
export default class RFB {}
