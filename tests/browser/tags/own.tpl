___INFO___

{"type": "TAG", "id": "own", "version": 1, "displayName": "A tag of the tests' own", "containerContexts": ["WEB"]}

___SANDBOXED_JS_FOR_WEB_TEMPLATE___

const addConsentListener = require('addConsentListener');
const aliasInWindow = require('aliasInWindow');
const callInWindow = require('callInWindow');
const copyFromWindow = require('copyFromWindow');
const createQueue = require('createQueue');
const injectScript = require('injectScript');
const isConsentGranted = require('isConsentGranted');
const makeTableMap = require('makeTableMap');
const parseUrl = require('parseUrl');
const setInWindow = require('setInWindow');

const url = parseUrl(data.script);

if (!copyFromWindow('cbq')) {
  setInWindow('cbq', function () {
    if (copyFromWindow('cbq.callMethod.apply')) callInWindow('cbq.callMethod.apply', null, arguments);
    else callInWindow('cbq.queue.push', arguments);
  });
  aliasInWindow('_cbq', 'cbq');
  createQueue('cbq.queue');
}

const cbq = copyFromWindow('cbq');
if (!isConsentGranted('ad_storage')) {
  cbq('consent', 'revoke');
  addConsentListener('ad_storage', (type, granted) => cbq('consent', granted ? 'grant' : 'revoke'));
}
cbq('setHost', url.origin + '/');
cbq('init', data.id, makeTableMap(data.people, 'name', 'value'));
cbq('trackSingle', data.id, data.name, makeTableMap(data.properties, 'name', 'value'), {eventID: data.eventId});
injectScript(data.script, data.gtmOnSuccess, data.gtmOnFailure, 'own');

___WEB_PERMISSIONS___

[]
