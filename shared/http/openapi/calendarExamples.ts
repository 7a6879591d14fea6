import type { JsonObject } from "../../sync/types.js";

/** Bodies as they may be. Readers of the description see them, and mock servers answer with them. */

const root = "https://mirror.example/api/beta";

/** The example's user: Graph Explorer's own. */
export const userId = "6e7b768e-07e2-4810-8459-485f84f8f204";
export const calendarId = "AAMkADIxYjJiYm1mAAAGYAAAAAAiIsqMbYjsT5e-T7KzowPTAAABuC34AAA=";
export const groupId = "AAMkADIxYjJiYm1mAAAGAAAAAAAiIsqMbYjsT5e-T7KzowPTAQAiIsqMbYjs";
const calendars = `${root}/users/${userId}/calendars`;

const calendar: JsonObject = {
  id: calendarId,
  name: "Calendar",
  color: "auto",
  hexColor: "",
  changeKey: "IiLKjG2I7E+Xvk+ys6MD0wAABjPz6w==",
  calendarGroupId: groupId,
  isDefaultCalendar: true,
  isRemovable: false,
  isShared: true,
  isSharedWithMe: false,
  canEdit: true,
  canShare: true,
  canViewPrivateItems: true,
  owner: { name: "Megan Bowen", address: "megan@contoso.example" },
};

const type = "#microsoft.graph.calendar";
const removed: JsonObject = {
  "@odata.type": type,
  id: "AAMkADIxYjJiYm1mAAAGYAAAAAAiIsqMbYjsT5e-T7KzowPTAAABuC35AAA=",
  "@removed": { reason: "deleted" },
};

const collectionContext = `${root}/$metadata#users('${userId}')/calendars`;
export const collectionExample: JsonObject = {
  "@odata.context": collectionContext,
  value: [calendar],
  "@odata.nextLink": `${calendars}?$top=1&$skiptoken=U2VhbGVk`,
};

export const entityExample: JsonObject = { "@odata.context": `${collectionContext}/$entity`, ...calendar };

export const deltaPageExample: JsonObject = {
  "@odata.context": `${root}/$metadata#Collection(calendar)`,
  value: [{ "@odata.type": type, ...calendar }, removed],
  "@odata.deltaLink": `${calendars}/delta?$deltatoken=U2VhbGVk`,
};

const all = `${root}/users/getAllCalendars`;

export const tenantCollectionExample: JsonObject = {
  "@odata.context": `${root}/$metadata#Collection(microsoft.graph.calendar)`,
  value: [{ "@odata.type": type, ...calendar, userId }],
  "@odata.nextLink": `${all}?$skiptoken=U2VhbGVk`,
};

export const tenantDeltaExample: JsonObject = {
  "@odata.context": `${root}/$metadata#Collection(microsoft.graph.entity)`,
  value: [
    { "@odata.type": type, ...calendar, userId },
    { ...removed, userId },
    {
      "@odata.type": "#microsoft.graph.user",
      id: "87d349ed-44d7-43e1-9a83-5f2406dee5bd",
      userId: "87d349ed-44d7-43e1-9a83-5f2406dee5bd",
      "@removed": { reason: "deleted" },
    },
  ],
  "@odata.deltaLink": `${all}/delta?$deltatoken=U2VhbGVk`,
};

/** One calendar as a line of NDJSON. */
export const ndjsonExample = `${JSON.stringify({ "@odata.type": type, ...calendar, userId })}\n`;

/** A header line, and one calendar. */
export const csvExample =
  "userId,id,name,ownerName,ownerAddress,color,hexColor,isDefaultCalendar,canEdit,canShare,canViewPrivateItems,isShared," +
  `isSharedWithMe,isRemovable,changeKey,nextLink\r\n${userId},${calendarId},Calendar,Megan Bowen,megan@contoso.example,auto,,` +
  "true,true,true,true,true,false,false,IiLKjG2I7E+Xvk+ys6MD0wAABjPz6w==,\r\n";

const groupsContext = `${root}/$metadata#users('${userId}')/calendarGroups`;

export const groupsExample: JsonObject = { "@odata.context": groupsContext, value: [{ id: groupId }] };
export const groupExample: JsonObject = { "@odata.context": `${groupsContext}/$entity`, id: groupId };
export const groupCalendarsExample: JsonObject = {
  "@odata.context": `${groupsContext}('${encodeURIComponent(groupId)}')/calendars`,
  value: [calendar],
};
